import { readFileSync } from 'node:fs';
import t from 'tap';
import { setAction } from '../../src/prepare/set-action.js';
import { fakeRunningSystem } from '../fixtures/fake-running-system.js';
import { kexecMachine, plant } from '../fixtures/kexec-machine.js';
import { newOnlineMachine } from '../fixtures/online-machine.js';

void t.test('an armed update gets another end and stays armed by one row', async (t) => {
  const machine = newOnlineMachine(t);
  const { ports, paths } = machine;
  const { online, facts } = ports;
  await t.rejects(setAction(online, facts, 'reboot'), { code: 'PLAN_MISSING' });
  const { id } = (await machine.cli('prepare', '--json')).json() as { id: string };
  await t.rejects(setAction(online, facts, 'reboot'), {
    code: 'WRONG_STATE',
    message: `update ${id} is prepared, not armed`,
    hint: 'offline-update trigger --action reboot',
  });
  await machine.cli('trigger', '--action', 'poweroff');
  const rows = async (): Promise<unknown[]> =>
    (await online.store.find(id)).journal.rows.map(({ entry }) => entry);
  const before = (await rows()).length;

  t.strictSame(await setAction(online, facts, 'poweroff'), { id, action: 'poweroff' });
  t.equal((await rows()).length, before, 'nothing to write down');
  t.strictSame(await setAction(online, facts, 'auto'), { id, action: 'soft-reboot' });
  t.match((await rows()).slice(before), [
    { event: 'armed', action: 'soft-reboot', because: /nothing changes/ },
  ]);
  t.equal(readFileSync(paths.action, 'utf8'), 'soft-reboot\n');
  t.match((await machine.cli('status', '--json')).json(), {
    state: 'armed',
    action: 'soft-reboot',
    contradictions: [],
  });
  t.match((await machine.cli('status')).stdout, /^Next +systemctl soft-reboot$/m);

  facts.runningSystem = () => fakeRunningSystem({ replacedUnderPid1: ['/usr/lib/systemd/systemd'] });
  t.strictSame(await setAction(online, facts, 'auto'), { id, action: 'reboot' });
  const because = 'a reboot is owed already: /usr/lib/systemd/systemd was replaced beneath PID 1';
  t.match((await machine.cli('status', '--json')).json(), { action: 'reboot', actionBecause: because });
  facts.runningSystem = () => Promise.reject(new Error('no /proc here'));
  t.strictSame(await setAction(online, facts, 'auto'), { id, action: 'reboot' }, 'doubt');
  t.equal((await machine.cli('cancel')).exitCode, 0);
});

void t.test('another end leaves a reboot that is announced as it is', async (t) => {
  const machine = newOnlineMachine(t);
  const { online, facts } = machine.ports;
  await machine.cli('prepare');
  await machine.cli('trigger', '--at', '+5min');
  const told = async (): Promise<unknown> => (await machine.cli('status', '--json')).json();
  t.match(await told(), {
    state: 'armed',
    action: 'soft-reboot',
    wayIn: 'reboot',
    reboot: { type: 'reboot' },
  });
  await setAction(online, facts, 'poweroff');
  t.match(await told(), { action: 'poweroff', wayIn: 'reboot' });
});

void t.test('what auto would come to is in the plan, and told by prepare and status', async (t) => {
  const machine = newOnlineMachine(t);
  const told = async (): Promise<unknown[]> => {
    const { stdout } = await machine.cli('prepare');
    const status = await machine.cli('status');
    const { plan } = (await machine.cli('status', '--json')).json() as { plan: { end: unknown } };
    return [/^Ends in (.*)\.$/m.exec(stdout)?.[1], /^Ends in +(.*)$/m.exec(status.stdout)?.[1], plan.end];
  };
  const softly = 'nothing changes that a kernel, boot loader or initramfs reads';
  t.strictSame(await told(), [
    `soft-reboot (auto: ${softly})`,
    `soft-reboot (auto: ${softly})`,
    { action: 'soft-reboot', because: softly },
  ]);
  machine.facts.systemdVersion = () => Promise.resolve(253);
  t.strictSame((await told())[2], { action: 'reboot', because: 'systemd 253 knows no soft-reboot' });
  machine.facts.systemdVersion = () => Promise.reject(new Error('no systemd here'));
  t.strictSame(await told(), [undefined, undefined, null], 'an image that is being built');
  machine.write('/etc/offline-update/config.toml', 'action = "poweroff"\n');
  t.strictSame(await told(), ['poweroff', 'poweroff', { action: 'poweroff', because: null }]);
});

void t.test('a soft-reboot that systemd does not know is a reboot, and says why', async (t) => {
  const machine = newOnlineMachine(t);
  const { online, facts } = machine.ports;
  facts.systemdVersion = () => Promise.resolve(253);
  const because = 'systemd 253 knows no soft-reboot';
  const { id } = (await machine.cli('prepare', '--json')).json() as { id: string };
  const { stdout } = await machine.cli('trigger', '--action', 'soft-reboot');
  t.match(stdout, `then reboots.\n  reboot: ${because}\n`);
  t.match(stdout, 'Next: systemctl reboot ');
  t.match((await machine.cli('status', '--json')).json(), { action: 'reboot', actionBecause: because });
  await setAction(online, facts, 'poweroff');
  t.strictSame(await setAction(online, facts, 'soft-reboot'), { id, action: 'reboot' });
});

void t.test(
  'where the policy allows it, a kexec is foretold in plan, status and trigger, or why there is none',
  async (t) => {
    const machine = newOnlineMachine(t);
    plant(machine.root, kexecMachine);
    machine.payload.packages.push({ name: 'linux-image-6.12.2-amd64', version: '2.0', content: 'a kernel' });
    const kernel = 'the kernel changes: linux-image-6.12.2-amd64';
    const told = async (): Promise<unknown> => {
      await machine.cli('prepare');
      const { plan } = (await machine.cli('status', '--json')).json() as { plan: { end: unknown } };
      return plan.end;
    };
    t.strictSame(await told(), { action: 'reboot', because: kernel });
    machine.write('/etc/offline-update/config.toml', 'kexec = "allow"\n');
    t.strictSame(await told(), { action: 'kexec', because: kernel });
    const armed = (await machine.cli('trigger')).stdout;
    t.match(armed, `then starts the new kernel by kexec.\n  kexec: ${kernel}\nNext: systemctl soft-reboot `);
    t.match((await machine.cli('status')).stdout, `kexec (auto: ${kernel})`);
    t.match((await machine.cli('status', '--json')).json(), { action: 'kexec', actionBecause: kernel });
    await machine.cli('cancel');
    plant(machine.root, { '/usr/sbin/kexec': undefined });
    const without = `${kernel}; no kexec: kexec-tools are not installed`;
    t.strictSame(await told(), { action: 'reboot', because: without });
    await machine.cli('trigger');
    t.match((await machine.cli('status', '--json')).json(), { action: 'reboot', actionBecause: without });
  },
);

void t.test('once a boot works on it, its end is no longer changed', async (t) => {
  const machine = newOnlineMachine(t);
  const { ports, moment } = machine;
  const { id } = (await machine.cli('prepare', '--json')).json() as { id: string };
  await machine.cli('trigger');
  const { journal } = await ports.online.store.find(id);
  await journal.append({ event: 'claimed', attempt: 1 });
  await t.rejects(setAction(ports.online, ports.facts, 'poweroff'), { code: 'BUSY' });
  moment.bootId = 'boot-2';
  await t.rejects(setAction(ports.online, ports.facts, 'poweroff'), { code: 'WRONG_STATE' });
});
