/** A boot without an update starts no process of ours but the generator stub. */
import t from 'tap';
import { armedMachine, installedMachine, isBackToNormal } from './installed.js';

/** Every executable of ours leaves a trace when it is started, Node included. */
const traces = '/var/lib/started';
const watched = [
  '/usr/bin/node',
  ...['claim', 'guard', 'rescue', 'leave'].map((name) => `/usr/lib/offline-update/${name}`),
];

async function watch(machine: Awaited<ReturnType<typeof installedMachine>>): Promise<void> {
  await machine.run(`mkdir ${traces}`);
  for (const path of watched) {
    const name = path.split('/').at(-1) ?? '';
    await machine.run(['mv', path, `${path}.real`]);
    await machine.write(path, `#!/bin/sh\n: >${traces}/${name}\nexec ${path}.real "$@"\n`);
  }
}

async function unitsStarted(machine: Awaited<ReturnType<typeof installedMachine>>): Promise<string[]> {
  const { stdout } = await machine.exec([
    'systemctl',
    'show',
    '--property=Id,ExecMainStartTimestampMonotonic,ConditionResult,LoadState',
    'offline-update.service',
    'offline-update-guard.service',
    'offline-update-rescue.service',
    'offline-update-recover.service',
    'offline-update-confirm.service',
    'offline-update-bus.service',
    'offline-update-scheduled.service',
    'offline-update-prepare.service',
    'offline-update-trigger.service',
  ]);
  return stdout
    .trim()
    .split('\n\n')
    .filter((unit) => !unit.includes('ExecMainStartTimestampMonotonic=0'))
    .map((unit) => /^Id=(.*)$/m.exec(unit)?.[1] ?? unit);
}

void t.test('nothing of ours is started in an ordinary boot', async (t) => {
  const machine = await installedMachine(t, ['lab-good']);
  await watch(machine);
  await machine.start();
  t.strictSame(await unitsStarted(machine), []);
  const { stdout } = await machine.exec(['ls', traces]);
  t.equal(stdout, '', 'no Node, no script');
  const { stdout: loaded } = await machine.exec('systemctl show -P LoadState offline-update-recover.service');
  t.equal(loaded.trim(), 'loaded', 'the unit is there, and its conditions say no');
});

void t.test('only what has something to do is started, and once', async (t) => {
  const machine = await armedMachine(t, { packages: ['lab-good'] });
  await isBackToNormal(t, machine, await machine.bootUntilSettled());
  t.strictSame(
    await unitsStarted(machine),
    ['offline-update-confirm.service'],
    'the boot after an update confirms it',
  );
  await machine.stop();
  await machine.start();
  t.strictSame(await unitsStarted(machine), [], 'the next one has nothing to do');
});

void t.test('only its own no keeps recover from running: a condition that is damaged is none', async (t) => {
  const machine = await installedMachine(t, ['lab-good']);
  await machine.start();
  const rescued = '/var/lib/offline-update/rescued';
  const recovers = async (unsettled: string): Promise<boolean> => {
    await machine.exec(`mkdir -p ${rescued.slice(0, rescued.lastIndexOf('/'))} && : >${rescued}`);
    await machine.exec(unsettled);
    await machine.exec('systemctl start offline-update-recover.service');
    return (await machine.exec(`test ! -e ${rescued} && echo gone || echo there`)).stdout.trim() === 'gone';
  };
  const script = '/usr/lib/offline-update/unsettled';
  t.notOk(await recovers(`printf '#!/bin/sh\\nexit 1\\n' >${script}`), 'it says no');
  t.ok(await recovers(`printf '#!/bin/sh\\nif\\n' >${script}`), 'torn');
  t.ok(await recovers(`chmod 644 ${script}`), 'cannot be executed');
  t.ok(await recovers(`rm ${script}`), 'gone');
});
