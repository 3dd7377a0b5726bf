import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import t from 'tap';
import { fileSystem } from '../../src/host/file-system.js';
import { verifyStage } from '../../src/update/stage.js';
import { furnish, onlineMachine, type OnlineMachine } from '../fixtures/online-machine.js';

const folder = t.testdir();
const program = join(folder, 'fake-cli.cjs');

t.before(async () => {
  await build({
    entryPoints: [join(import.meta.dirname, '../fixtures/fake-cli.ts')],
    outfile: program,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    external: ['x11', 'usocket'],
    logLevel: 'error',
  });
});

function start(root: string, killAt: number, words: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [program, root, String(killAt), ...words], { env });
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (said.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said.stderr += chunk.toString()));
  const ended = once(child, 'close').then(([exitCode, signal]) => ({
    exitCode: exitCode as number | null,
    signal: signal as string | null,
    ...said,
  }));
  return { child, ended, said };
}

/** The id of the plan that would be installed, whose whole stage was proven to be as sealed. */
async function soundId(machine: OnlineMachine): Promise<string> {
  const update = await machine.ports.online.store.current();
  const state = update?.journal.state;
  if (state?.name !== 'prepared') throw new Error(`the update is ${state?.name ?? 'gone'}`);
  return (await verifyStage(fileSystem, machine.paths.stage, state.planHash)).id;
}

void t.test(
  'prepare killed before each of its steps leaves one whole plan, and a new run makes it good',
  async (t) => {
    const first = join(folder, 'first');
    await mkdir(first);
    furnish(first);
    await start(first, -1, ['prepare']).ended;
    const former = await soundId(onlineMachine(first));

    const outcomes = new Set<string>();
    let killed = 0;
    for (let step = 0; ; step += 1) {
      const root = join(folder, `killed-${step}`);
      await cp(first, root, { recursive: true, verbatimSymlinks: true });
      const { signal, exitCode, stderr } = await start(root, step, ['prepare']).ended;
      const machine = onlineMachine(root);
      if (signal === null) {
        t.equal(exitCode, 0, stderr);
        break;
      }
      killed += 1;
      outcomes.add((await soundId(machine)) === former ? 'the former plan' : 'the new plan');

      const { exitCode: again } = await machine.cli('prepare');
      const id = await soundId(machine);
      const { journal } = await machine.ports.online.store.find(id);
      t.strictSame(
        [
          again,
          journal.state.name,
          await machine.ports.online.store.ids(),
          (await readdir(machine.path('/var/lib'))).sort(),
        ],
        [0, 'prepared', [id], ['offline-update', 'system-update']],
        `killed before step ${step}`,
      );
    }
    t.ok(killed > 30, `${killed} steps`);
    t.strictSame([...outcomes], ['the former plan', 'the new plan']);
  },
);

void t.test('a second run is told who is at work, and changes nothing', async (t) => {
  const root = join(folder, 'two');
  await mkdir(root);
  furnish(root);
  const gate = join(folder, 'gate');
  const first = start(root, -1, ['prepare'], { gate });
  await atTheGate(first);
  const machine = onlineMachine(root);
  for (const words of [['prepare'], ['trigger'], ['cancel'], ['clean']]) {
    const called = await machine.cli(...words, '--json');
    t.equal(called.exitCode, 6);
    t.strictSame(called.json(), {
      error: {
        code: 'BUSY',
        message: `another run of offline-update is at work: ${machine.paths.lock} is locked by process ${first.child.pid} (${process.execPath} ${program} ${root} -1 prepare)`,
        hint: 'offline-update status',
      },
    });
  }
  t.equal((await machine.cli('status')).exitCode, 0, 'status needs no lock');
  await writeFile(gate, '');
  t.equal((await first.ended).exitCode, 0);
  await soundId(machine);
});

void t.test(
  'Ctrl-C says what it means, ends by the signal, and leaves the download to the next run',
  async (t) => {
    const root = join(folder, 'interrupted');
    await mkdir(root);
    furnish(root);
    const running = start(root, -1, ['prepare', 'alpha'], { gate: join(folder, 'never'), child: 'yes' });
    await atTheGate(running);
    running.child.kill('SIGINT');
    const { signal, stderr } = await running.ended;
    t.equal(signal, 'SIGINT');
    t.equal(
      stderr,
      'at the gate\ninterrupted: nothing was installed or armed, the download is kept\n  next: offline-update prepare alpha\n',
    );
    t.equal((await onlineMachine(root).cli('prepare')).exitCode, 0);
  },
);

for (const [when, interruptAt, words, says, isArmed] of [
  [
    'before the arming',
    '.baseline.json',
    ['--action', 'poweroff'],
    'nothing was armed\n  next: offline-update trigger --action poweroff',
    false,
  ],
  [
    'in the midst of it',
    'system-update',
    [],
    'it may be armed or scheduled already\n  next: offline-update status',
    true,
  ],
  [
    'when it has its time',
    '.scheduled.json',
    ['--at', '+10h'],
    'it may be armed or scheduled already\n  next: offline-update status',
    false,
  ],
] as const) {
  void t.test(`Ctrl-C in trigger, ${when}: what it says is so`, async (t) => {
    const root = join(folder, `armed ${interruptAt}`);
    await mkdir(root);
    furnish(root);
    await start(root, -1, ['prepare']).ended;
    const { signal, stderr } = await start(root, -1, ['trigger', ...words], { interruptAt }).ended;
    t.equal(signal, 'SIGINT');
    t.equal(stderr, `interrupted: ${says}\n`);
    t.equal((await readdir(root)).includes('system-update'), isArmed);
  });
}

void t.test('a promise that never settles is no success', async (t) => {
  const main = await readFile(join(import.meta.dirname, '../../src/cli/main.ts'), 'utf8');
  const entry = join(folder, 'hung.cjs');
  await build({
    stdin: {
      contents: main.replace('makePorts: systemPorts', 'makePorts: () => new Promise(() => {})'),
      resolveDir: join(import.meta.dirname, '../../src/cli'),
      loader: 'ts',
    },
    outfile: entry,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    external: ['x11', 'usocket'],
    logLevel: 'error',
  });
  const child = spawn(process.execPath, [entry, 'status']);
  const [exitCode] = (await once(child, 'close')) as [number];
  t.equal(exitCode, 70);
});

async function atTheGate({ child, said }: ReturnType<typeof start>): Promise<void> {
  while (!said.stderr.includes('at the gate')) await once(child.stderr, 'data');
}
