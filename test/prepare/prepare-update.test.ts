import { lstat, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { fileSystem } from '../../src/host/file-system.js';
import { HostError } from '../../src/host/host-error.js';
import { UpdateError } from '../../src/update/errors.js';
import { verifyStage } from '../../src/update/stage.js';
import {
  exchangingFileSystem,
  newOnlineMachine,
  newRoot,
  onlineMachine,
  twoPackages,
  type OnlineMachine,
} from '../fixtures/online-machine.js';
import { emptyPlan } from '../fixtures/empty-plan.js';
import { recordingFileSystem } from '../fixtures/recording-file-system.js';

function newMachine(test: { testdir(): string }): OnlineMachine {
  return newOnlineMachine(test);
}

async function current(machine: OnlineMachine) {
  const update = await machine.ports.online.store.current();
  if (!update) throw new Error('no update is prepared');
  return update;
}

void t.test('a prepared update is sealed, closed to all but root, and told', async (t) => {
  const machine = newMachine(t);
  const { exitCode, stdout, stderr } = await machine.cli('prepare');
  const update = await current(machine);
  t.equal(exitCode, 0);
  t.equal(
    stdout,
    `Update ${update.id} is prepared and sealed.

  alpha  1.0 -> 2.0
  beta   1.0 -> 2.0

2 packages upgraded; 35 B of packages, 4.1 kB more on disk.
Ends in soft-reboot (auto: nothing changes that a kernel, boot loader or initramfs reads).

Next: offline-update trigger
`,
  );
  t.equal(stderr, '50 %  downloading\n100 %  downloading\n');
  t.match(update.journal.state, { name: 'prepared' });
  const { state } = update.journal;
  if (state.name !== 'prepared') throw new Error('not prepared');
  const plan = await verifyStage(fileSystem, machine.paths.stage, state.planHash);
  t.strictSame(
    plan.files.map(({ path, sizeBytes }) => [path, sizeBytes]),
    [
      ['lists/index', 53],
      ['packages/alpha_2.0_all.deb', 18],
      ['packages/beta_2.0_all.deb', 17],
    ],
  );
  for (const [path, mode] of [
    ['', 0o40700],
    ['packages', 0o40700],
    ['plan.json', 0o100600],
    ['packages/alpha_2.0_all.deb', 0o100600],
  ] as const) {
    t.equal((await lstat(join(machine.paths.stage, path))).mode, mode, path);
  }
  t.strictSame((await readdir(machine.path('/var/lib'))).sort(), ['offline-update', 'system-update']);
});

void t.test('an unarmed plan is replaced, its files are used again, and it leaves no history', async (t) => {
  const machine = newMachine(t);
  await machine.cli('prepare');
  const former = await current(machine);
  machine.payload.downloaded = [];
  machine.payload.packages = [
    ...twoPackages.slice(0, 1),
    { name: 'gamma', version: '3', content: 'gamma, new' },
  ];
  t.equal((await machine.cli('prepare')).exitCode, 0);
  const update = await current(machine);
  t.not(update.id, former.id);
  t.strictSame(machine.payload.downloaded, ['packages/gamma_3_all.deb']);
  t.strictSame(await readdir(join(machine.paths.stage, 'packages')), [
    'alpha_2.0_all.deb',
    'gamma_3_all.deb',
  ]);
  t.strictSame(await machine.ports.online.store.ids(), [update.id]);
});

void t.test('where names cannot be exchanged the stage is replaced by two renames', async (t) => {
  const root = newRoot(t);
  const machine = onlineMachine(root, {
    ...fileSystem,
    exchange: () => Promise.reject(new HostError('EXCHANGE_UNSUPPORTED', 'not here')),
  });
  await machine.cli('prepare');
  const former = await current(machine);
  t.equal((await machine.cli('prepare')).exitCode, 0);
  t.not((await current(machine)).id, former.id);
  t.strictSame((await readdir(machine.path('/var/lib'))).sort(), ['offline-update', 'system-update']);
});

void t.test('what a failed download left is used by the next run', async (t) => {
  const machine = newMachine(t);
  machine.payload.beforeDownload = (name) =>
    name === 'beta' ? Promise.reject(new Error('the network is gone')) : Promise.resolve();
  const { exitCode, stderr } = await machine.cli('prepare');
  t.equal(exitCode, 1);
  t.equal(stderr, '50 %  downloading\noffline-update: nothing was prepared\n  why: the network is gone\n');
  machine.payload.beforeDownload = () => Promise.resolve();
  machine.payload.downloaded = [];
  t.equal((await machine.cli('prepare')).exitCode, 0);
  t.strictSame(machine.payload.downloaded, ['packages/beta_2.0_all.deb']);
});

void t.test(
  'invariant 7: a package that is not what the index says is refused and downloaded again',
  async (t) => {
    const machine = newMachine(t);
    machine.payload.corrupt.add('beta');
    const failed = await machine.cli('prepare', '--json');
    t.equal(failed.exitCode, 1);
    t.match(failed.json(), {
      error: {
        code: 'HASH_MISMATCH',
        message:
          /^packages\/beta_2.0_all.deb has SHA-256 [0-9a-f]{64}, the package index says [0-9a-f]{64}; it was removed$/,
        hint: 'offline-update prepare',
      },
    });
    t.equal(await machine.ports.online.store.current(), undefined);
    machine.payload.downloaded = [];
    t.equal((await machine.cli('prepare')).exitCode, 0);
    t.strictSame(machine.payload.downloaded, ['packages/beta_2.0_all.deb']);
  },
);

void t.test('the package manager agrees while the files are still hashed', async (t) => {
  const machine = newMachine(t);
  const payload = await machine.ports.payload();
  const sums = new Map<string, Promise<string>>();
  let tellSums: () => void = () => undefined;
  machine.ports.payload = () =>
    Promise.resolve({
      ...payload,
      async fetch(plan, stage, on) {
        await payload.fetch(plan, stage, on);
        const asked = new Promise<void>((resolve) => (tellSums = resolve));
        for (const { file, sha256 } of plan.changes)
          sums.set(
            file ?? '',
            asked.then(() => sha256 ?? ''),
          );
        return sums;
      },
      agree() {
        tellSums();
        return Promise.resolve();
      },
    });
  t.equal((await machine.cli('prepare')).exitCode, 0);
  t.equal(sums.size, 2);
  const first = (await current(machine)).id;

  machine.ports.payload = () =>
    Promise.resolve({
      ...payload,
      async fetch(plan, stage, on) {
        await payload.fetch(plan, stage, on);
        const failed = Promise.reject<string>(new Error('the disk is broken'));
        failed.catch(() => undefined);
        return new Map([['packages/alpha_2.0_all.deb', failed]]);
      },
    });
  const broken = await machine.cli('prepare');
  t.equal(broken.exitCode, 1);
  t.match(broken.stderr, /why: the disk is broken\n/);
  t.equal((await current(machine)).id, first, 'the former plan stays');
});

void t.test('a tampered file of the former stage is not used again', async (t) => {
  const machine = newMachine(t);
  await machine.cli('prepare');
  await writeFile(join(machine.paths.stage, 'packages/alpha_2.0_all.deb'), 'ALPHA, version two');
  machine.payload.downloaded = [];
  t.equal((await machine.cli('prepare')).exitCode, 0);
  t.strictSame(machine.payload.downloaded, ['packages/alpha_2.0_all.deb']);
});

void t.test('nothing to do ends with 4 and leaves no stage behind', async (t) => {
  const machine = newMachine(t);
  machine.payload.packages = [];
  const { exitCode, stderr } = await machine.cli('prepare');
  t.equal(exitCode, 4);
  t.equal(stderr, 'offline-update: nothing was prepared\n  why: every package is up to date\n');
  t.strictSame(await readdir(machine.path('/var/lib')), []);
});

void t.test(
  'a plan that cannot be made leaves nothing behind, and no half download is lost by it',
  async (t) => {
    const machine = newMachine(t);
    machine.payload.planError = new UpdateError('PLAN_FAILED', 'apt finds no way', { hint: 'think' });
    const { exitCode, stderr } = await machine.cli('prepare');
    t.equal(exitCode, 1);
    t.equal(stderr, 'offline-update: nothing was prepared\n  why: apt finds no way\n  next: think\n');
    t.strictSame(await readdir(machine.path('/var/lib')), []);
    machine.write('/var/lib/system-update.next/packages/alpha_2.0_all.deb', 'alpha, version two');
    await machine.cli('prepare');
    delete machine.payload.planError;
    t.equal((await machine.cli('prepare')).exitCode, 0);
    t.strictSame(machine.payload.downloaded, ['packages/beta_2.0_all.deb']);
  },
);

void t.test('nothing to do leaves a plan that still fits, and marks one that does not', async (t) => {
  const machine = newMachine(t);
  await machine.cli('prepare');
  const { id } = await current(machine);
  machine.payload.packages = [];
  t.equal((await machine.cli('prepare', 'alpha')).exitCode, 4);
  t.equal((await current(machine)).journal.state.name, 'prepared');
  machine.payload.fingerprint = 'b'.repeat(64);
  const { exitCode, stderr } = await machine.cli('prepare');
  t.equal(exitCode, 4);
  t.equal(
    stderr,
    `offline-update: nothing was prepared
  why: every package is up to date; the update ${id} prepared earlier no longer fits: the installed packages changed since the plan was made
  next: offline-update clean
`,
  );
  t.equal((await current(machine)).journal.state.name, 'stale');
});

void t.test('an armed, an interrupted, an unconfirmed and a blocked update are not replaced', async (t) => {
  const machine = newMachine(t);
  await machine.cli('prepare');
  await machine.cli('trigger');
  const { id, journal } = await current(machine);
  const plan = await readFile(join(machine.paths.stage, 'plan.json'), 'utf8');
  const reason = {
    code: 'ATTEMPTS_USED_UP',
    message: 'three attempts\nof dpkg, and what it printed',
  } as const;
  const rows = [
    [
      undefined,
      'ARMED',
      `update ${id} is armed and will be installed in the next boot`,
      'offline-update cancel',
    ],
    [
      { event: 'claimed', attempt: 1 },
      'WRONG_STATE',
      `update ${id} was interrupted; the next boot goes on with it`,
      'systemctl reboot',
    ],
    [
      { event: 'installing', attempt: 1, fallback: null },
      'WRONG_STATE',
      `update ${id} was interrupted; the next boot goes on with it`,
      'systemctl reboot',
    ],
    [
      { event: 'installed', attempt: 1 },
      'WRONG_STATE',
      `update ${id} is installed and waits for its confirmation`,
      'systemctl start offline-update-confirm.service',
    ],
    [
      { event: 'blocked', reason },
      'BLOCKED',
      `update ${id} is blocked: three attempts`,
      'offline-update clean',
    ],
  ] as const;
  for (const [event, code, message, hint] of rows) {
    if (event) {
      machine.moment.bootId = 'boot-of-the-update';
      await journal.append(event);
    }
    machine.moment.bootId = 'boot-after-it';
    const called = await machine.cli('prepare', '--json');
    t.strictSame(called.json(), { error: { code, message, hint } });
    t.equal(called.exitCode, 5);
  }
  t.equal(await readFile(join(machine.paths.stage, 'plan.json'), 'utf8'), plan);
});

void t.test('a staged plan that cannot be read is replaced', async (t) => {
  const machine = newMachine(t);
  await machine.cli('prepare');
  await writeFile(join(machine.paths.stage, 'plan.json'), '{');
  t.equal((await machine.cli('prepare')).exitCode, 0);
  t.equal((await current(machine)).journal.state.name, 'prepared');
});

void t.test('of what a killed run has left only what was downloaded is used again, and sealed', async (t) => {
  const machine = newMachine(t);
  await machine.cli('prepare');
  const next = '/var/lib/system-update.next';
  machine.write(`${next}/download.log`, 'Get:1 http://deb.debian.org/debian');
  machine.write(`${next}/lists/of-another-plan`, '');
  machine.write(`${next}/packages/partial/alpha_2.0_all.deb`, 'half');
  machine.write(`${next}/recompressed.jsonl`, '{}\n');
  t.equal((await machine.cli('prepare')).exitCode, 0);
  const { state } = (await current(machine)).journal;
  if (state.name !== 'prepared') throw new Error('not prepared');
  const { files } = await verifyStage(fileSystem, machine.paths.stage, state.planHash);
  t.strictSame(files.map(({ path }) => path).sort(), [
    'lists/index',
    'packages/alpha_2.0_all.deb',
    'packages/beta_2.0_all.deb',
    'recompressed.jsonl',
  ]);
});

void t.test('a link in the place of the next stage is not followed', async (t) => {
  const machine = newMachine(t);
  machine.write('/home/somebody/file', 'theirs');
  machine.link('../../home/somebody', '/var/lib/system-update.next');
  t.equal((await machine.cli('prepare')).exitCode, 0);
  t.strictSame(await readdir(machine.path('/home/somebody')), ['file']);
});

void t.test('what contradicts itself is a matter of usage', async (t) => {
  const machine = newMachine(t);
  for (const words of [
    ['--full', 'alpha'],
    ['--from', '-', 'alpha'],
    ['--from', '-', '--full'],
  ]) {
    const called = await machine.cli('prepare', '--json', ...words);
    t.equal(called.exitCode, 2);
    t.match(called.json(), { error: { code: 'USAGE', hint: 'offline-update prepare --help' } });
  }
});

void t.test(
  'invariant 3: the new stage is on the disk before its journal, and that before the swap',
  async (t) => {
    const root = newRoot(t);
    const recording = recordingFileSystem(exchangingFileSystem, { root });
    const machine = onlineMachine(root, recording.fs);
    await machine.cli('prepare');
    const former = await current(machine);
    recording.takeLines();
    await machine.cli('prepare');
    const { id } = await current(machine);
    // without the content of files
    const lines = recording
      .takeLines()
      .map((line) => line.replace(/ ".*"/, ''))
      // what is live is nobody's record
      .filter((line) => !line.includes(' run/'));
    const history = `var/lib/offline-update/updates/${id}`;
    t.strictSame(lines.slice(lines.indexOf('createFile var/lib/system-update.next/plan.json 600')), [
      'createFile var/lib/system-update.next/plan.json 600',
      'syncFileSystem var/lib/system-update.next',
      `makeFolder ${history} 755`,
      'syncFolder var/lib/offline-update/updates',
      `createFile ${history}/journal.jsonl 644`,
      `createFile ${history}/.plan.json.*.new 644`,
      `syncFile ${history}/.plan.json.*.new`,
      `rename ${history}/.plan.json.*.new ${history}/plan.json`,
      `syncFolder ${history}`,
      `appendFile ${history}/journal.jsonl`,
      `syncFile ${history}/journal.jsonl`,
      'exchange var/lib/system-update.next var/lib/system-update',
      'syncFolder var/lib',
      'removeTree var/lib/system-update.next',
      'syncFolder var/lib',
      `removeTree var/lib/offline-update/updates/${former.id}`,
      'syncFolder var/lib/offline-update/updates',
    ]);
  },
);

void t.test('a plan that removes this package is refused, and the former one stays', async (t) => {
  const machine = newMachine(t);
  await machine.cli('prepare');
  const former = await current(machine);
  const ordinary = await machine.ports.payload();
  machine.ports.payload = () =>
    Promise.resolve({
      ...ordinary,
      async plan(request) {
        const plan = await ordinary.plan(request);
        const removed = { action: 'remove', to: null, file: null, sizeBytes: 0, sha256: null } as const;
        const changes = plan.changes.flatMap((change) =>
          change.name === 'beta'
            ? ['nodejs', 'offline-update'].map((name) => ({ ...change, ...removed, name, from: '1.0' }))
            : [change],
        );
        return { ...plan, changes };
      },
    });
  const { exitCode, stderr } = await machine.cli('prepare');
  t.equal(exitCode, 1);
  t.match(
    stderr,
    /the plan removes offline-update itself, beside nodejs: nobody would confirm the update[^]*next: apt-get --simulate/,
  );
  t.equal((await current(machine)).id, former.id);
});

void t.test('after an update under a clock that was in the future, a new one is the newest', async (t) => {
  const machine = newMachine(t);
  const { store } = machine.ports.online;
  const future = { ...emptyPlan(), id: '20310101T000000-ffff' };
  const { journal } = await store.record(future);
  await journal.append({ event: 'armed', planHash: 'aa', action: 'reboot', trigger: '/system-update' });
  await journal.append({ event: 'cancelled', reason: 'x' });
  await machine.cli('prepare');
  const [first] = await store.ids();
  t.equal(first, (await current(machine)).id);
  await journal.append({ note: 'rolled-back', rollback: '20310202T000000-0000' });
  await machine.cli('prepare');
  t.match(
    (await current(machine)).id,
    /^20310202T000001-/,
    'nor is a fallback that a rollback left any newer',
  );
});
