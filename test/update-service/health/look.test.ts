import t from 'tap';
import type { NetworkInterface } from '../../../src/host/network-state.js';
import type { UnitState } from '../../../src/host/unit-states.js';
import type { Baseline } from '../../../src/update/baseline.js';
import { lookAtBoot, lookAtNetwork, lookAtUnits } from '../../../src/update-service/health/look.js';
import { unitState } from '../../fixtures/unit-state.js';

const well: Baseline = { format: 1, failedUnits: [], interfaces: [] };

function lan(state: Partial<NetworkInterface> = {}): NetworkInterface {
  return {
    name: 'lan0',
    isHardware: true,
    hasCarrier: true,
    addresses: ['IPv4', 'IPv6'],
    defaultRoutes: ['IPv4'],
    ...state,
  };
}

const look = (units: UnitState[], failedUnits: string[] = []) =>
  lookAtUnits({ units, monotonicSeconds: 100 }, { ...well, failedUnits });

const quiet: [string, UnitState[], string[]][] = [
  ['units that are up', [unitState('a.service'), unitState('b.mount')], []],
  ['a unit that was failed before', [unitState('a.service', { active: 'failed' })], ['a.service']],
  ['a transient unit', [unitState('run-u1.service', { active: 'failed', isTransient: true })], []],
  [
    'a service that was restarted long ago',
    [unitState('a.service', { restarts: 3, activeSinceSeconds: 80 })],
    [],
  ],
  [
    'a service that ended well after a restart',
    [unitState('a.service', { active: 'inactive', restarts: 1 })],
    [],
  ],
  ['one that was restarted before, too', [unitState('a.service', { sub: 'auto-restart' })], ['a.service']],
];
for (const [what, units, before] of quiet) {
  void t.test(`units: nothing is said of ${what}`, (t) => {
    t.strictSame(look(units, before), { broken: [], pending: [], units: [] });
    t.end();
  });
}

void t.test('units: a failed one is broken, one that does not stay up is not yet', (t) => {
  const units = [
    unitState('a.service', { active: 'failed', sub: 'failed' }),
    unitState('b.service', { active: 'activating', sub: 'auto-restart', restarts: 2 }),
    unitState('c.service', { restarts: 1, activeSinceSeconds: 99 }),
  ];
  t.strictSame(look(units), {
    broken: ['a.service is failed, and was not before the update'],
    pending: ['b.service does not stay up', 'c.service does not stay up'],
    units: ['a.service', 'b.service', 'c.service'],
  });
  t.end();
});

const started = unitState('multi-user.target', {
  names: ['multi-user.target', 'default.target'],
  sub: 'active',
});
const waiting = { ...started, active: 'inactive', job: 'waiting' as const };
const ours = unitState('offline-update-confirm.service', { active: 'activating', job: 'running' });

void t.test('boot: over when the normal target is active, or nothing leads there', (t) => {
  const over = { broken: [], pending: [], units: [] };
  t.strictSame(lookAtBoot([started, ours]), over);
  t.strictSame(
    lookAtBoot([started, unitState('apt-daily.service', { active: 'activating', job: 'running' })]),
    over,
  );
  t.strictSame(lookAtBoot([{ ...waiting, job: undefined }, ours]), over, 'another target was named');
  t.end();
});

void t.test('boot: what is at work on the way to the target is named, but for ourselves', (t) => {
  const slow = unitState('slow.service', { active: 'activating', job: 'running' });
  t.strictSame(lookAtBoot([waiting, slow, ours, unitState('late.service', { job: 'waiting' })]), {
    broken: [],
    pending: ['multi-user.target not reached (systemd is at work on slow.service)'],
    units: ['slow.service'],
  });
  const desktop = unitState('graphical.target', {
    names: ['graphical.target', 'default.target'],
    job: 'waiting',
    active: 'inactive',
  });
  t.strictSame(lookAtBoot([started, desktop, ours]).pending, ['graphical.target not reached']);
  t.end();
});

const networks: [string, NetworkInterface[], NetworkInterface[], string[]][] = [
  ['it is as before', [lan()], [lan()], []],
  ['there was none before', [lan({ hasCarrier: false, addresses: [], defaultRoutes: [] })], [], []],
  ['there is more than before', [lan({ addresses: [], defaultRoutes: [] })], [lan()], []],
  [
    'the default route leads through another interface',
    [lan()],
    [lan({ defaultRoutes: [] }), lan({ name: 'wlan0' })],
    [],
  ],
  ['the default route is gone', [lan()], [lan({ defaultRoutes: ['IPv6'] })], ['no IPv4 default route']],
  ['an address is gone', [lan()], [lan({ addresses: ['IPv4'] })], ['lan0 has no IPv6 address']],
  [
    'an interface without a carrier lost its address',
    [lan({ hasCarrier: false })],
    [lan({ addresses: [] })],
    [],
  ],
  ['its driver is gone', [lan({ defaultRoutes: [] })], [], ['the interface lan0 is gone']],
  ['a bridge is gone', [lan({ isHardware: false, defaultRoutes: [] })], [], []],
  [
    'a bridge is there without its address',
    [lan({ isHardware: false, defaultRoutes: [] })],
    [lan({ isHardware: false, addresses: ['IPv6'] })],
    ['lan0 has no IPv4 address'],
  ],
];
for (const [what, interfaces, now, pending] of networks) {
  void t.test(`network: ${what}`, (t) => {
    t.strictSame(lookAtNetwork(now, { ...well, interfaces }), { broken: [], pending, units: [] });
    t.end();
  });
}
