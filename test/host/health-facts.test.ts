/** What the kernel and systemd tell of a machine's health. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import type { NetworkInterfaceInfo } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readNetwork } from '../../src/host/network-state.js';
import { parseUnitStates, readUnitStates } from '../../src/host/unit-states.js';

const shown = `Id=multi-user.target
Names=default.target multi-user.target
ActiveState=inactive
SubState=dead
Transient=no
ActiveEnterTimestampMonotonic=0

NRestarts=3
Id=ssh.service
Names=ssh.service
ActiveState=activating
SubState=auto-restart
Transient=no
ActiveEnterTimestampMonotonic=12500000

Id=run-u7.scope
Names=run-u7.scope
ActiveState=failed
SubState=failed
Transient=yes
ActiveEnterTimestampMonotonic=7
`;
const jobs = '  7 multi-user.target start waiting\n123 ssh.service       start running\n';

void t.test('what systemctl shows is read unit by unit, with aliases and jobs', (t) => {
  t.strictSame(parseUnitStates(shown, jobs), [
    {
      names: ['multi-user.target', 'default.target'],
      active: 'inactive',
      sub: 'dead',
      restarts: 0,
      activeSinceSeconds: undefined,
      isTransient: false,
      job: 'waiting',
    },
    {
      names: ['ssh.service'],
      active: 'activating',
      sub: 'auto-restart',
      restarts: 3,
      activeSinceSeconds: 12.5,
      isTransient: false,
      job: 'running',
    },
    {
      names: ['run-u7.scope'],
      active: 'failed',
      sub: 'failed',
      restarts: 0,
      activeSinceSeconds: 0.000007,
      isTransient: true,
      job: undefined,
    },
  ]);
  t.strictSame(parseUnitStates('', 'No jobs running.\n'), []);
  t.end();
});

void t.test('a systemd that does not answer is an error, not a machine without units', async (t) => {
  const run = () => Promise.resolve({ exitCode: 1, signal: undefined, stdout: '', stderr: 'no bus' });
  await t.rejects(readUnitStates(run), { code: 'COMMAND_FAILED', message: /no bus/ });
});

const header = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT';
const zero = '0'.repeat(32);
const rest = '00000400 00000003 00000000 00000003';

/** `/sys/class/net` and `/proc/net` of a machine with a network card, a bridge and a card that is switched off. */
function sources(t: Test, proc: Record<string, string>) {
  const folder = t.testdir({ proc, devices: { lan0: {}, br0: {}, off0: {}, lo: {} } });
  const classFolder = join(folder, 'class');
  mkdirSync(classFolder);
  for (const [name, carrier] of [
    ['lan0', '1\n'],
    ['br0', '0\n'],
    ['off0', undefined],
    ['lo', '1\n'],
  ] as const) {
    const device = join(folder, 'devices', name);
    if (carrier !== undefined) writeFileSync(join(device, 'carrier'), carrier);
    if (name === 'lan0') mkdirSync(join(device, 'device'));
    symlinkSync(device, join(classFolder, name));
  }
  const address = (address: string, family: 'IPv4' | 'IPv6', internal = false) =>
    ({ address, family, internal, netmask: '', mac: '', cidr: null, scopeid: 0 }) as NetworkInterfaceInfo;
  return {
    classFolder,
    procFolder: join(folder, 'proc'),
    addresses: () => ({
      lo: [address('127.0.0.1', 'IPv4', true)],
      lan0: [address('192.0.2.7', 'IPv4'), address('fe80::1', 'IPv6'), address('2001:db8::1', 'IPv6')],
      br0: [address('169.254.3.4', 'IPv4'), address('febf::1', 'IPv6')],
    }),
  };
}

void t.test('the network is what reaches further than the link', async (t) => {
  const route = `${header}\nlan0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\nbr0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n`;
  const route6 = `${zero} 00 ${zero} 00 fd${'0'.repeat(29)}1 ${rest}     lan0\n${zero} 00 ${zero} 00 ${zero} ${rest}       lo\nfe8${'0'.repeat(29)} 40 ${zero} 00 ${zero} ${rest}      br0\n`;
  const off = { isHardware: false, hasCarrier: false, addresses: [], defaultRoutes: [] };
  t.strictSame(await readNetwork(sources(t, { route, ipv6_route: route6 })), [
    { ...off, name: 'br0' },
    {
      name: 'lan0',
      isHardware: true,
      hasCarrier: true,
      addresses: ['IPv4', 'IPv6'],
      defaultRoutes: ['IPv4', 'IPv6'],
    },
    { ...off, name: 'off0' },
  ]);
});

void t.test('a kernel without IPv6 has no routes of it', async (t) => {
  const [, lan] = await readNetwork(sources(t, { route: header }));
  t.strictSame(lan?.defaultRoutes, []);
});

void t.test('what is no interface, and what has just gone, is left out', async (t) => {
  const machine = sources(t, { route: header });
  writeFileSync(join(machine.classFolder, 'bonding_masters'), 'bond0\n');
  symlinkSync('/sys/devices/virtual/net/gone', join(machine.classFolder, 'veth12'));
  const names = (await readNetwork(machine)).map(({ name }) => name);
  t.strictSame(names, ['br0', 'lan0', 'off0']);
});

void t.test('this machine can be read', async (t) => {
  const names = (await readNetwork()).map(({ name }) => name);
  t.notOk(names.includes('lo'));
});
