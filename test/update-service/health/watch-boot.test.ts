import t from 'tap';
import type { UnitState } from '../../../src/host/unit-states.js';
import type { Baseline } from '../../../src/update/baseline.js';
import type { MachineHealth } from '../../../src/update-service/health/machine-health.js';
import { watchBoot } from '../../../src/update-service/health/watch-boot.js';
import { failedUnit, unitState } from '../../fixtures/unit-state.js';

const lan = {
  name: 'lan0',
  isHardware: true,
  hasCarrier: true,
  addresses: ['IPv4' as const],
  defaultRoutes: [],
};
const baseline: Baseline = { format: 1, failedUnits: [], interfaces: [lan] };
const deadline = { atSeconds: 60, afterSeconds: 60 };
const target = unitState('multi-user.target');
const coming = unitState('multi-user.target', { active: 'inactive', job: 'waiting' });
const slow = unitState('slow.service', { active: 'activating', job: 'running' });
const broken = failedUnit('bad.service');

interface Moment {
  units?: UnitState[] | Error;
  network?: (typeof lan)[] | Error;
  state?: string;
}

const answer = <T>(what: T | Error): Promise<T> =>
  what instanceof Error ? Promise.reject(what) : Promise.resolve(what);

/** One moment a look; the last one stays. A pause takes as long as it says. */
function machine(...moments: Moment[]): MachineHealth & { looks: number } {
  let seconds = 0;
  const now = (): Moment => moments[Math.min(fake.looks, moments.length) - 1] ?? {};
  const fake = {
    looks: 0,
    systemState: () => {
      fake.looks += 1;
      return Promise.resolve(now().state ?? 'starting');
    },
    units: () => answer(now().units ?? [target]),
    network: () => answer(now().network ?? [lan]),
    describe: (units: readonly string[]) => Promise.resolve(`what systemd says of ${units.join(' ')}`),
    monotonicSeconds: () => seconds,
    pause: (for_: number) => {
      seconds += for_;
      return Promise.resolve();
    },
  };
  return fake;
}

const passed = (check: string) => ({ check, outcome: 'passed', message: '', output: '' });
const allWell = [passed('boot'), passed('units'), passed('network')];

void t.test('a machine that is well is looked at once', async (t) => {
  const well = machine({});
  t.strictSame(await watchBoot(well, baseline, deadline), allWell);
  t.equal(well.looks, 1);
});

void t.test('the boot, a restarting unit and the network are waited for', async (t) => {
  const restarting: UnitState = {
    ...target,
    names: ['a.service'],
    active: 'activating',
    sub: 'auto-restart',
  };
  const slowly = machine(
    { units: [coming, slow] },
    { units: [target, restarting] },
    { network: [{ ...lan, addresses: [] }] },
    {},
  );
  t.strictSame(await watchBoot(slowly, baseline, deadline), allWell);
  t.equal(slowly.looks, 4);
});

void t.test(
  'a failed unit ends the wait for the network, but not that for the boot, which may start it again',
  async (t) => {
    const away = { network: [] };
    const failing = machine({ units: [coming, slow, broken], ...away }, { units: [target, broken], ...away });
    t.match(await watchBoot(failing, baseline, deadline), [
      passed('boot'),
      {
        check: 'units',
        outcome: 'failed',
        message: 'bad.service is failed, and was not before the update',
        output: 'what systemd says of bad.service',
      },
      passed('network'),
    ]);
    t.equal(failing.looks, 2);
    const mended = machine({ units: [coming, slow, broken] }, {});
    t.strictSame(await watchBoot(mended, baseline, deadline), allWell);
  },
);

void t.test('at the deadline whatever is pending has failed', async (t) => {
  const hanging = machine({ units: [coming, slow], network: [] });
  t.match(await watchBoot(hanging, baseline, deadline), [
    {
      check: 'boot',
      outcome: 'failed',
      message: 'after 60 s multi-user.target not reached (systemd is at work on slow.service)',
      output: 'what systemd says of slow.service',
    },
    passed('units'),
    { check: 'network', outcome: 'failed', message: 'after 60 s the interface lan0 is gone' },
  ]);
  t.equal(hanging.looks, 121);
});

void t.test('a network that stays away: as the policy says, and the report names the switch', async (t) => {
  const away = () => machine({ network: [] });
  const advice =
    'Where the network may come late or stay away: a longer confirmDeadlineSeconds, or confirmNetwork = "warn", ' +
    'in /etc/offline-update/config.toml, and prepare again.';
  const told = { check: 'network', message: 'after 60 s the interface lan0 is gone', output: '', advice };
  const others = [passed('boot'), passed('units')];
  t.strictSame(await watchBoot(away(), baseline, deadline, 'require'), [
    ...others,
    { ...told, outcome: 'failed' },
  ]);
  const warning = away();
  t.strictSame(await watchBoot(warning, baseline, deadline, 'warn'), [
    ...others,
    { ...told, outcome: 'warned' },
  ]);
  t.equal(warning.looks, 121, 'and is waited for all the same');
  const ignoring = away();
  t.strictSame(await watchBoot(ignoring, baseline, deadline, 'ignore'), allWell);
  t.equal(ignoring.looks, 1);
  const late = machine({ network: [] }, {});
  t.strictSame(await watchBoot(late, baseline, deadline, 'require'), allWell, 'late is not away');
});

void t.test('a boot that waits for the verdict itself is not waited for', async (t) => {
  const waiting = machine({ units: [coming] });
  t.strictSame(await watchBoot(waiting, baseline, deadline), allWell);
  t.equal(waiting.looks, 2);
});

void t.test('without a baseline only the boot is judged', async (t) => {
  t.strictSame(
    await watchBoot(machine({ units: [target, broken], network: [] }), undefined, deadline),
    allWell,
  );
  const unreadable = machine({ network: new Error('no network can be read here') });
  t.strictSame(
    await watchBoot(unreadable, undefined, deadline),
    allWell,
    'nor could it be before the update',
  );
  t.equal(unreadable.looks, 1);
});

for (const state of ['maintenance', 'stopping']) {
  void t.test(`no verdict once the system is in ${state}`, async (t) => {
    const ending = machine({ units: [coming, slow] }, { units: [target, broken], state });
    t.equal(await watchBoot(ending, baseline, deadline), undefined);
  });
}

void t.test(
  'a systemd that does not answer is waited for, and by the deadline it is a failure',
  async (t) => {
    const gone = new Error('systemctl show failed');
    const forMoment = machine({ units: gone, network: gone }, {});
    t.strictSame(await watchBoot(forMoment, baseline, deadline), allWell);
    const forGood = machine({ units: gone });
    const silent = { ...forGood, systemState: () => forGood.systemState().then(() => Promise.reject(gone)) };
    t.strictSame(await watchBoot(silent, baseline, deadline), [
      passed('boot'),
      {
        check: 'units',
        outcome: 'failed',
        message: 'after 60 s the units cannot be looked at: systemctl show failed',
        output: '',
      },
      passed('network'),
    ]);
  },
);

void t.test('a unit that only waits for the network weighs no more than the network', async (t) => {
  for (const name of [
    'NetworkManager-wait-online.service',
    'systemd-networkd-wait-online@lan0.service',
    'networking.service',
    'ifup@lan0.service',
  ]) {
    const offline = () => machine({ units: [target, { ...broken, names: [name] }] });
    const message = `${name} is failed, and was not before the update`;
    const outcomes = async (policy: 'require' | 'warn' | 'ignore') =>
      (await watchBoot(offline(), baseline, deadline, policy))?.map(({ check, outcome }) => [check, outcome]);
    const boot = ['boot', 'passed'];
    t.strictSame(await outcomes('require'), [boot, ['units', 'failed'], ['network', 'passed']]);
    t.strictSame(await outcomes('warn'), [boot, ['units', 'passed'], ['network', 'warned']]);
    t.strictSame(await outcomes('ignore'), [boot, ['units', 'passed'], ['network', 'passed']]);
    t.equal((await watchBoot(offline(), baseline, deadline, 'warn'))?.[2]?.message, message);
  }
  const another = machine({ units: [target, broken] });
  t.match(await watchBoot(another, baseline, deadline, 'ignore'), [{}, { outcome: 'failed' }, {}]);
});
