import t from 'tap';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { CommandOptions, CommandResult, RunCommand } from '../../src/host/command.js';
import { HostError } from '../../src/host/host-error.js';
import type { PowerAction, PowerRung } from '../../src/host/power.js';
import { powerLadder, systemPowerRungs } from '../../src/host/power.js';
import type { SystemPowerOptions } from '../../src/host/power.js';
import { startFakeLogin, startFakeManager } from './fixtures/fake-login.js';
import type { PrivateBus } from './fixtures/private-bus.js';
import { startPrivateBus } from './fixtures/private-bus.js';

interface Climb {
  /** The name of the rung that worked, or the error. */
  result: string | HostError;
  log: string[];
  /** Commands that were run. */
  commands: string[];
  options: (CommandOptions | undefined)[];
  signals: number[];
}

const failed: CommandResult = { exitCode: 1, signal: undefined, stdout: '', stderr: 'Failed.\n' };
const succeeded: CommandResult = { exitCode: 0, signal: undefined, stdout: '', stderr: '' };

/** Nothing here may reach the machine's own bus, systemctl or PID 1, so all three are always given. */
async function climb(
  action: PowerAction,
  options: SystemPowerOptions & { busAddress: string; answer?: (command: string) => CommandResult },
): Promise<Climb> {
  const log: string[] = [];
  const commands: string[] = [];
  const commandOptions: (CommandOptions | undefined)[] = [];
  const signals: number[] = [];
  const run: RunCommand = (file, args, given) => {
    const command = [file, ...args].join(' ');
    commands.push(command);
    commandOptions.push(given);
    return Promise.resolve((options.answer ?? (() => failed))(command));
  };
  const rungs = systemPowerRungs({
    deadlineMilliseconds: 5000,
    runCommand: run,
    signalPid1: (signal) => signals.push(signal),
    ...options,
  });
  const result = await powerLadder(rungs, (line) => log.push(line))(action).catch((error: unknown) => {
    if (error instanceof HostError) return error;
    throw error;
  });
  return { result, log, commands, options: commandOptions, signals };
}

async function privateBus(t: { teardown: (act: () => unknown) => void }): Promise<PrivateBus> {
  const daemon = await startPrivateBus();
  t.teardown(() => daemon.stop());
  return daemon;
}

const noBus = { busAddress: 'unix:path=/no/such/socket' };
const targets = ['reboot.target', 'poweroff.target', 'soft-reboot.target', 'kexec.target'];
const actions = ['reboot', 'poweroff', 'soft-reboot', 'kexec'] as const;

void t.test('rung 1: logind, with flags', async (t) => {
  const { address } = await privateBus(t);
  const login = await startFakeLogin(address);
  for (const action of actions) {
    const { result, log } = await climb(action, { busAddress: address });
    t.equal(result, 'logind');
    t.same(log, [`${action} asked for: logind`]);
  }
  t.same(login.calls, [
    'RebootWithFlags t 0',
    'PowerOffWithFlags t 0',
    'RebootWithFlags t 4',
    'RebootWithFlags t 2',
  ]);
});

void t.test('rung 1: an inhibitor is skipped on the second try', async (t) => {
  const { address } = await privateBus(t);
  const login = await startFakeLogin(address, { inhibited: true, maySkipInhibitors: true });
  for (const action of actions) t.equal((await climb(action, { busAddress: address })).result, 'logind');
  t.same(login.calls, [
    'RebootWithFlags t 0',
    'RebootWithFlags t 16',
    'PowerOffWithFlags t 0',
    'PowerOffWithFlags t 16',
    'RebootWithFlags t 4',
    'RebootWithFlags t 20',
    'RebootWithFlags t 2',
    'RebootWithFlags t 18',
  ]);
});

void t.test('an inhibitor that is to be respected ends the ladder', async (t) => {
  const { address } = await privateBus(t);
  await startFakeLogin(address, { inhibited: true, maySkipInhibitors: true });
  const manager = await startFakeManager(address, targets);
  const { result, commands, signals } = await climb('reboot', {
    busAddress: address,
    inhibitors: 'respect',
    answer: () => succeeded,
  });
  t.match(result, { code: 'POWER_INHIBITED', message: /active block inhibitor/ });
  t.same([manager.calls, commands, signals], [[], [], []]);
});

void t.test('rung 2: a logind without flags is asked the old way', async (t) => {
  const { address } = await privateBus(t);
  const login = await startFakeLogin(address, { version: 247 });
  t.equal((await climb('reboot', { busAddress: address })).result, 'logind, old method');
  t.equal((await climb('poweroff', { busAddress: address })).result, 'logind, old method');
  t.same(login.calls, ['RebootWithFlags t 0', 'Reboot b false', 'PowerOffWithFlags t 0', 'PowerOff b false']);
});

void t.test('rung 3: without logind PID 1 starts the target', async (t) => {
  const { address } = await privateBus(t);
  const manager = await startFakeManager(address, targets);
  for (const action of actions) {
    t.equal((await climb(action, { busAddress: address })).result, 'PID 1 by D-Bus');
  }
  t.same(
    manager.calls,
    targets.map((target) => `StartUnit ss ${target} replace-irreversibly`),
  );
});

void t.test('rung 3: an inhibitor that polkit will not let us skip does not stop PID 1', async (t) => {
  const { address } = await privateBus(t);
  await startFakeLogin(address, { inhibited: true });
  await startFakeManager(address, targets);
  t.equal((await climb('poweroff', { busAddress: address })).result, 'PID 1 by D-Bus');
});

void t.test('rung 4: without a bus systemctl is asked, in a clean environment', async (t) => {
  process.env['SYSTEMD_OFFLINE'] = '1';
  t.teardown(() => delete process.env['SYSTEMD_OFFLINE']);
  for (const action of actions) {
    const { result, commands, options } = await climb(action, { ...noBus, answer: () => succeeded });
    t.equal(result, 'systemctl');
    t.same(commands, [`systemctl --no-block ${action}`]);
    t.equal(options[0]?.extendEnv, false);
    t.same(options[0]?.env, {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      LC_ALL: 'C',
      SYSTEMCTL_SKIP_AUTO_KEXEC: '1',
      SYSTEMCTL_SKIP_AUTO_SOFT_REBOOT: '1',
    });
  }
});

void t.test('rung 5: systemctl goes straight to PID 1', async (t) => {
  for (const action of actions) {
    const { result, commands } = await climb(action, {
      ...noBus,
      answer: (command) => (command.includes(' start ') ? succeeded : failed),
    });
    t.equal(result, 'systemctl, PID 1');
    t.equal(commands.at(-1), `systemctl --no-block --job-mode=replace-irreversibly start ${action}.target`);
  }
});

void t.test('rung 6: the signal needs nothing at all', async (t) => {
  const folder = t.testdir({ 'soft-reboot.target': '' });
  const softRebootTarget = join(folder, 'soft-reboot.target');
  const sent: number[] = [];
  for (const action of actions) {
    const { result, signals } = await climb(action, { ...noBus, softRebootTarget });
    t.equal(result, 'signal to PID 1');
    sent.push(...signals);
  }
  t.same(sent, [39, 38, 41, 40]);
});

void t.test('rung 6: a PID 1 that knows no soft-reboot is asked to reboot', async (t) => {
  const softRebootTarget = join(t.testdir({}), 'soft-reboot.target');
  t.same((await climb('soft-reboot', { ...noBus, softRebootTarget })).signals, [39]);
});

void t.test('the numbers of the signals are those of SIGRTMIN+5, +4, +6 and +7', async (t) => {
  const script =
    'for n in 4 5 6 7; do trap "echo got $n" RTMIN+$n; done; echo ready; while read line; do :; done';
  const child = spawn('bash', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const softRebootTarget = join(t.testdir({ target: '' }), 'target');
  for (const [action, number] of [
    ['reboot', 5],
    ['poweroff', 4],
    ['kexec', 6],
    ['soft-reboot', 7],
  ] as const) {
    const got = once(child.stdout, 'data');
    const signalPid1 = (signal: number): void => void process.kill(child.pid ?? NaN, signal);
    await climb(action, { ...noBus, softRebootTarget, signalPid1 });
    child.stdin.write('\n'); // bash acts on a signal between two commands
    t.equal(String((await got)[0]), `got ${number}\n`);
  }
});

void t.test('the whole ladder is climbed in order, and tells why each rung failed', async (t) => {
  const { result, log } = await climb('soft-reboot', {
    ...noBus,
    signalPid1: () => {
      throw new Error('PID 1 is not systemd');
    },
  });
  t.same(log, [
    'soft-reboot not possible by logind: no bus at unix:path=/no/such/socket',
    'soft-reboot not possible by logind, old method: this method knows no soft-reboot',
    'soft-reboot not possible by PID 1 by D-Bus: no bus at unix:path=/no/such/socket',
    'soft-reboot not possible by systemctl: systemctl --no-block soft-reboot: Failed.',
    'soft-reboot not possible by systemctl, PID 1: systemctl --no-block --job-mode=replace-irreversibly start soft-reboot.target: Failed.',
    'soft-reboot not possible by signal to PID 1: PID 1 is not systemd',
  ]);
  t.match(result, { code: 'POWER_REFUSED', message: 'nobody on this machine will soft-reboot' });
  t.match(result, { cause: { errors: { length: 6 } } });
});

void t.test('a missing systemctl and one that hangs are rungs like others', async (t) => {
  for (const code of ['COMMAND_NOT_FOUND', 'COMMAND_FAILED'] as const) {
    const runCommand: RunCommand = () => Promise.reject(new HostError(code, 'no systemctl'));
    t.equal((await climb('reboot', { ...noBus, runCommand })).result, 'signal to PID 1');
  }
});

void t.test('no answer is not yes: a silent logind is followed by the next rung', async (t) => {
  const { address } = await privateBus(t);
  const login = await startFakeLogin(address, { answer: 'silence' });
  await startFakeManager(address, targets);
  const { result } = await climb('reboot', { busAddress: address, deadlineMilliseconds: 50 });
  t.equal(result, 'PID 1 by D-Bus');
  t.same(login.calls, ['RebootWithFlags t 0', 'Reboot b false']);
});

void t.test('no answer is not yes: logind dies in mid-call', async (t) => {
  const { address } = await privateBus(t);
  await startFakeLogin(address, { answer: 'vanish' });
  await startFakeManager(address, targets);
  t.equal((await climb('poweroff', { busAddress: address })).result, 'PID 1 by D-Bus');
});

void t.test('no answer is not yes: the bus is killed after the request was sent', async (t) => {
  const daemon = await privateBus(t);
  const login = await startFakeLogin(daemon.address, { answer: 'silence' });
  const asked = login.nextCall().then(() => {
    daemon.signal('SIGKILL');
  });
  const { result, log } = await climb('reboot', { busAddress: daemon.address, answer: () => succeeded });
  await asked;
  t.equal(result, 'systemctl');
  t.equal(log[0], `reboot not possible by logind: the bus at ${daemon.address} is gone`);
});

void t.test('the ladder itself: rungs one after the other, none after the one that worked', async (t) => {
  const asked: string[] = [];
  const rung = (name: string, works: boolean): PowerRung => ({
    name,
    ask: (action) => {
      asked.push(`${name} ${action}`);
      return works ? Promise.resolve() : Promise.reject(new Error(`${name} is broken`));
    },
  });
  const log: string[] = [];
  const ladder = powerLadder([rung('a', false), rung('b', true), rung('c', true)], (line) => log.push(line));
  t.equal(await ladder('poweroff'), 'b');
  t.same(asked, ['a poweroff', 'b poweroff']);
  t.same(log, ['poweroff not possible by a: a is broken', 'poweroff asked for: b']);
});
