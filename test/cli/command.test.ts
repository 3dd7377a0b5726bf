import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { runCli } from '../../src/cli/cli.js';
import { verbs } from '../../src/cli/verbs/verbs.js';
import { exitCodeOf } from '../../src/cli/exit-codes.js';
import { output } from '../../src/cli/output.js';
import { bytesText, clockText, count, secondsText, timeText } from '../../src/cli/quantities.js';
import { version } from '../../src/cli/version.js';
import { noSnapshots } from '../../src/snapshots/none.js';
import { UpdateError, type UpdateErrorCode } from '../../src/update/errors.js';
import type { JournalEntry } from '../../src/update/events.js';
import { newOnlineMachine, type OnlineMachine } from '../fixtures/online-machine.js';

async function updated(test: { testdir(): string }): Promise<OnlineMachine & { id: string }> {
  const machine = newOnlineMachine(test);
  const { id } = (await machine.cli('prepare', '--json')).json() as { id: string };
  await machine.cli('trigger');
  machine.moment.bootId = 'boot-2';
  const { journal } = await machine.ports.online.store.find(id);
  const reason = { code: 'INSTALL_FAILED', message: 'beta: its postinst ended with 1' } as const;
  const entries: JournalEntry[] = [
    { event: 'claimed', attempt: 1 },
    { note: 'phase', phase: 'check', outcome: 'done', seconds: 0.5 },
    { event: 'installing', attempt: 1, fallback: null },
    { note: 'conffile', path: '/etc/alpha.conf', leftover: '/etc/alpha.conf.dpkg-dist' },
    { note: 'hook', path: '/etc/offline-update/after-install.d/10-say', exitCode: 3, output: 'no' },
    { event: 'failed', reason, healed: true },
    { note: 'leaving', action: 'reboot', by: 'logind' },
  ];
  for (const entry of entries) await journal.append(entry);
  machine.moment.bootId = 'boot-3';
  return Object.assign(machine, { id });
}

void t.test('the version is the one of the package', async (t) => {
  const text = readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8');
  t.equal(version, (JSON.parse(text) as { version: string }).version);
  const called = await newOnlineMachine(t).cli('--version');
  t.strictSame([called.exitCode, called.stdout], [0, `${version}\n`]);
});

void t.test('every error code has the exit code that the manual says', (t) => {
  const by = (exitCode: number): string[] =>
    Object.keys(exitCodeOf).filter((code) => exitCodeOf[code as UpdateErrorCode] === exitCode);
  t.strictSame(by(2), ['USAGE', 'CONFIG_INVALID', 'REQUEST_INVALID', 'UNKNOWN_UPDATE']);
  t.strictSame(by(3), ['NOT_PERMITTED', 'UNITS_ONLY']);
  t.strictSame(by(4), ['NOTHING_TO_DO']);
  t.strictSame(by(6), ['BUSY']);
  t.strictSame(by(7), ['FOREIGN_TRIGGER']);
  t.strictSame(
    by(5).filter((code) => !code.startsWith('STAGE_')),
    [
      'PREFLIGHT_BLOCKED',
      'MANAGER_UNSUPPORTED',
      'SCHEDULED',
      'SCHEDULE_INVALID',
      'SCHEDULE_MISSED',
      'NOT_NOW',
      'REBOOT_WITHDRAWN',
      'REHEARSAL_FAILED',
      'REHEARSAL_UNAVAILABLE',
      'PLAN_MISSING',
      'PLAN_INVALID',
      'PLAN_TAMPERED',
      'FORMAT_TOO_NEW',
      'WRONG_STATE',
      'ARMED',
      'BLOCKED',
      'FAILED_BEFORE',
      'DRIFT',
      'DATABASE_DIRTY',
      'SNAPSHOT_UNAVAILABLE',
    ],
  );
  t.equal(by(5).length + by(1).length + 9, Object.keys(exitCodeOf).length);
  t.end();
});

void t.test('help names every verb and every exit code; usage errors end with 2', async (t) => {
  const machine = newOnlineMachine(t);
  const { exitCode, stdout } = await machine.cli('--help');
  t.equal(exitCode, 0);
  for (const verb of [
    'prepare',
    'trigger',
    'status',
    'cancel',
    'clean',
    'doctor',
    'log',
    'history',
    'report',
    'rollback',
  ])
    t.match(stdout, new RegExp(`^  ${verb}\\b`, 'm'));
  t.notMatch(stdout, /^ {2}(run|recover|confirm)\b/m);
  t.match(stdout, 'Exit status: 0 done, 1 failed, 2 usage, 3 not permitted, 4 nothing to do, 5 blocked,');
  for (const [words, stderr] of [
    [['--nonsense'], "offline-update: unknown option '--nonsense'\n  next: offline-update --help\n"],
    [
      ['prepare', '--nonsense'],
      "offline-update: unknown option '--nonsense'\n  next: offline-update prepare --help\n",
    ],
    [['install'], "offline-update: unknown command 'install'\n  next: offline-update --help\n"],
    [
      ['trigger', '--action', 'halt'],
      "offline-update: option '--action <action>' argument 'halt' is invalid. Allowed choices are auto, reboot, soft-reboot, poweroff.\n  next: offline-update trigger --help\n",
    ],
    [
      ['cancel', 'this'],
      "offline-update: too many arguments for 'cancel'. Expected 0 arguments but got 1.\n  next: offline-update cancel --help\n",
    ],
  ] as const) {
    const called = await machine.cli(...words);
    t.strictSame([called.exitCode, called.stdout, called.stderr], [2, '', stderr]);
  }
  t.equal((await machine.cli()).exitCode, 2);
});

void t.test('who is not root may look, and is told what to type for the rest', async (t) => {
  const machine = newOnlineMachine(t);
  for (const verb of ['prepare', 'trigger', 'cancel', 'clean', 'doctor', 'rollback']) {
    const called = await machine.cliAsUser(verb);
    t.equal(called.exitCode, 3);
    t.match(called.stderr, `  why: only root may do this\n  next: sudo offline-update ${verb}\n`);
  }
  // What is typed next does what was asked for, and no more.
  for (const [words, next] of [
    [['prepare', 'alpha', 'beta=2.0~rc1'], 'prepare alpha beta=2.0~rc1'],
    [['trigger', '--at', 'tomorrow 03:00'], "trigger --at 'tomorrow 03:00'"],
    [['trigger', '--at', ''], "trigger --at ''"],
    [['rollback', '20261120T150001-abcd', '--now'], 'rollback 20261120T150001-abcd --now'],
  ] as const) {
    const called = await machine.cliAsUser(...words);
    t.strictSame([called.exitCode, called.stdout], [3, '']);
    t.match(called.stderr, `  next: sudo offline-update ${next}\n`);
  }
  t.match(await machine.cliAsUser('status', '--verify', '--json'), {
    exitCode: 3,
    stdout: /"hint": "sudo offline-update status --verify --json"/,
  });
  for (const verb of ['status', 'history']) t.equal((await machine.cliAsUser(verb)).exitCode, 0);
  machine.ports.policy = () => Promise.reject(Object.assign(new Error('EACCES: /etc'), { code: 'EACCES' }));
  t.match((await machine.cli('prepare', '--json')).json(), {
    error: { code: 'NOT_PERMITTED', message: 'EACCES: /etc', hint: 'sudo offline-update prepare --json' },
  });
});

void t.test('what is to be prepared again is what was asked for, and no more', async (t) => {
  const machine = newOnlineMachine(t);
  for (const [code, hint, next] of [
    ['DOWNLOAD_FAILED', 'offline-update prepare, which goes on', 'prepare alpha beta=2.0~rc1, which goes on'],
    ['DOWNLOAD_FAILED', 'offline-update prepare --refresh', 'prepare alpha beta=2.0~rc1 --refresh'],
    ['PLAN_FAILED', 'offline-update prepare', 'prepare alpha beta=2.0~rc1'],
    ['REQUEST_INVALID', 'offline-update prepare NAME...', 'prepare NAME...'],
  ] as const) {
    machine.payload.planError = new UpdateError(code, 'no network', { hint });
    const { stderr } = await machine.cli('prepare', 'alpha', 'beta=2.0~rc1');
    t.match(stderr, `  why: no network\n  next: offline-update ${next}\n`);
  }
});

void t.test('what is for the units refuses by hand, with the reason', async (t) => {
  const machine = newOnlineMachine(t);
  for (const [verb, unit, hint] of [
    ['run', 'offline-update.service', 'offline-update trigger'],
    ['recover', 'offline-update-recover.service', 'systemctl start offline-update-recover.service'],
    ['confirm', 'offline-update-confirm.service', 'systemctl start offline-update-confirm.service'],
  ] as const) {
    const called = await machine.cli(verb, '--json');
    t.equal(called.exitCode, 3);
    t.match(called.json(), { error: { code: 'UNITS_ONLY', message: new RegExp(`as ${unit}$`), hint } });
  }
});

void t.test('a configuration that is not valid is told before anything is done', async (t) => {
  const machine = newOnlineMachine(t);
  machine.write('/etc/offline-update/config.d/10-wrong.toml', 'stalTimeoutSeconds = 5\n');
  const called = await machine.cli('prepare', '--json');
  t.equal(called.exitCode, 2);
  t.match(called.json(), {
    error: { code: 'CONFIG_INVALID', hint: 'man 5 offline-update.toml lists every key' },
  });
  t.strictSame(machine.payload.downloaded, []);
});

void t.test('the report is a page that a person understands', async (t) => {
  const machine = await updated(t);
  const { exitCode, stdout } = await machine.cli('report');
  t.equal(exitCode, 0);
  const folder = machine.path(`/var/lib/offline-update/updates/${machine.id}`);
  t.equal(
    stdout,
    `Update ${machine.id}: FAILED

Reason: beta: its postinst ended with 1 [INSTALL_FAILED]

Prepared   2026-11-20 15:00:01 UTC, all upgrades
Attempts   1
Boot took  6.0 s
Left by    reboot, asked for through logind

Changes: 2 packages upgraded
  alpha  1.0 -> 2.0
  beta   1.0 -> 2.0

Configuration files to look at
  /etc/alpha.conf  (the other version: /etc/alpha.conf.dpkg-dist)

Hooks
  /etc/offline-update/after-install.d/10-say ended with 3
  What was printed: offline-update log ${machine.id}

Phases
  check          0.50 s  done

Timeline
  2026-11-20 15:00:02 UTC  prepared and sealed
  2026-11-20 15:00:03 UTC  armed at ${machine.path('/system-update')}
  ---- reboot ----
  2026-11-20 15:00:04 UTC  claimed in the update boot, attempt 1
  2026-11-20 15:00:05 UTC  check: done in 0.50 s
  2026-11-20 15:00:06 UTC  installing, without a fallback: an interruption is rolled forward
  2026-11-20 15:00:07 UTC  /etc/alpha.conf was kept, the package's version is /etc/alpha.conf.dpkg-dist
  2026-11-20 15:00:08 UTC  hook /etc/offline-update/after-install.d/10-say ended with 3
  2026-11-20 15:00:09 UTC  failed, the packages are whole: beta: its postinst ended with 1
  2026-11-20 15:00:10 UTC  leaving by reboot (logind)

Logs
  ${folder}/term.log
  journalctl --unit=offline-update.service --boot=boot2
`,
  );
  t.match((await machine.cli('report', machine.id, '--json')).json(), {
    format: 1,
    id: machine.id,
    state: 'failed',
    attempts: 1,
  });
});

void t.test(
  'an update that was taken back before it ran is told as that, and not for ever prepared',
  async (t) => {
    const machine = newOnlineMachine(t);
    const { id } = (await machine.cli('prepare', '--json')).json() as { id: string };
    await machine.cli('trigger', '--action', 'soft-reboot');
    t.match((await machine.cli('report')).stdout, '\nEnds in    soft-reboot\n', 'it has left nothing yet');
    await machine.cli('cancel');
    await machine.cli('trigger', '--at', '+30min');
    t.match((await machine.cli('report', '--json')).json(), { cancelled: null }, 'it has a time');
    await machine.cli('cancel');
    const { id: later } = (await machine.cli('prepare', '--json')).json() as { id: string };
    await machine.cli('trigger');
    await machine.cli('clean');
    t.equal(
      (await machine.cli('history')).stdout,
      `${later}  cancelled   2026-11-20 15:00:10 UTC  2 packages upgraded
  cleaned by hand
${id}  cancelled   2026-11-20 15:00:01 UTC  2 packages upgraded
  cancelled by hand
`,
    );
    const { stdout } = await machine.cli('report', id);
    t.match(stdout, `Update ${id}: not installed, cancelled by hand\n`);
    t.notMatch(stdout, /soft-reboot/);
    t.match((await machine.cli('report', id, '--json')).json(), {
      state: 'prepared',
      cancelled: 'cancelled by hand',
      action: null,
      actionBecause: null,
    });
  },
);

void t.test('report, log and history of what is not there', async (t) => {
  const machine = newOnlineMachine(t);
  t.equal((await machine.cli('report')).exitCode, 4);
  const unknown = await machine.cli('report', '20200101T000000-0000');
  t.equal(unknown.exitCode, 2);
  t.equal(
    unknown.stderr,
    'offline-update: there is no report\n  why: there is no update 20200101T000000-0000\n  next: offline-update history\n',
  );
  const history = await machine.cli('history');
  t.equal(history.stdout, 'There has been no update on this machine.\n');
  const { id } = (await machine.cli('prepare', '--json')).json();
  const log = await machine.cli('log');
  t.equal(log.exitCode, 4);
  t.match(log.stderr, `update ${String(id)} has not been installed: there is no log`);
});

void t.test('a history that was removed by hand is told, and status knows the way on', async (t) => {
  const machine = newOnlineMachine(t);
  const { id } = (await machine.cli('prepare', '--json')).json() as { id: string };
  await machine.cli('trigger');
  rmSync(machine.paths.state, { recursive: true });
  const plan = machine.path(`/var/lib/offline-update/updates/${id}/plan.json`);
  t.match((await machine.cli('report', '--json')).json(), {
    error: {
      code: 'PLAN_MISSING',
      message: `${plan} is not there: nothing is recorded of this update`,
      hint: 'offline-update status',
    },
  });
  for (const next of ['offline-update cancel', 'offline-update prepare']) {
    t.match((await machine.cli('status', '--json')).json(), { next });
    t.equal((await machine.cli(...next.split(' ').slice(1))).exitCode, 0);
  }
  t.equal((await machine.cli('trigger')).exitCode, 0);
});

void t.test('the log is what was printed, or the journal of the update boot', async (t) => {
  const machine = await updated(t);
  machine.write(`/var/lib/offline-update/updates/${machine.id}/term.log`, 'Setting up alpha (2.0) ...\n');
  const { stdout, stderr } = await machine.cli('log');
  t.equal(stdout, 'Setting up alpha (2.0) ...\n');
  t.equal(stderr, 'See also: journalctl --unit=offline-update.service --boot=boot2\n');
  let asked: readonly string[] = [];
  machine.ports.run = (file, args) => {
    asked = [file, ...args];
    return Promise.resolve({ exitCode: 0, signal: undefined, stdout: 'a line', stderr: '' });
  };
  t.equal((await machine.cli('log', machine.id, '--journal')).stdout, 'a line\n');
  t.strictSame(asked, [
    'journalctl',
    '--unit=offline-update.service',
    '--boot=boot2',
    '--no-pager',
    '--output=short-iso',
  ]);
  const stderrOfJournal = 'No journal files were opened due to insufficient permissions.';
  machine.ports.run = () =>
    Promise.resolve({ exitCode: 1, signal: undefined, stdout: '', stderr: stderrOfJournal });
  for (const [isRoot, next] of [
    [false, 'sudo offline-update log --journal'],
    [true, `offline-update log ${machine.id}`],
  ] as const) {
    machine.ports.isRoot = isRoot;
    t.equal(
      (await machine.cliAsUser('log', '--journal')).stderr,
      `offline-update: there is no log\n  why: ${stderrOfJournal}\n  next: ${next}\n`,
    );
  }
});

void t.test('the history is the newest first, and what cannot be read does not hide the rest', async (t) => {
  const machine = await updated(t);
  const { store, files } = machine.ports.online;
  await store.unmarkOpen();
  await files.remove(machine.path('/system-update'));
  const { id } = (await machine.cli('prepare', '--json')).json() as { id: string };
  machine.write('/var/lib/offline-update/updates/20200101T000000-0000/plan.json', '{');
  const called = await machine.cli('history');
  t.equal(
    called.stdout,
    `${id}  prepared    2026-11-20 15:00:11 UTC  2 packages upgraded
${machine.id}  failed      2026-11-20 15:00:01 UTC  2 packages upgraded
  beta: its postinst ended with 1
20200101T000000-0000  unreadable
  the plan is not JSON
`,
  );
  t.match((await machine.cli('history', '--json')).json(), {
    updates: [{ id, state: 'prepared' }, { id: machine.id, state: 'failed' }, { state: 'unreadable' }],
  });
});

void t.test(
  'neither a plan that is not there nor a snapshot tool that fails hides the history',
  async (t) => {
    const machine = await updated(t);
    // A power cut while it was recorded.
    machine.write('/var/lib/offline-update/updates/20200101T000000-0000/journal.jsonl', '');
    const snapshots = { ...noSnapshots, list: () => Promise.reject(new Error('btrfs: no space')) };
    machine.ports.snapshots = () => Promise.resolve(snapshots);
    const called = await machine.cli('history', '--json');
    t.equal(called.exitCode, 0);
    t.match(called.json(), {
      updates: [
        { id: machine.id, state: 'failed' },
        { id: '20200101T000000-0000', state: 'unreadable' },
      ],
      fallbacks: null,
    });
    t.equal(called.stderr, 'The kept fallbacks cannot be told: btrfs: no space\n');
  },
);

void t.test('who may not look into the stage has the report all the same', async (t) => {
  const machine = await updated(t);
  const { store } = machine.ports.online;
  store.current = () => Promise.reject(Object.assign(new Error('EACCES'), { code: 'EACCES' }));
  const called = await machine.cliAsUser('report', '--json');
  t.equal(called.exitCode, 0);
  t.match(called.json(), { id: machine.id, state: 'failed' });
});

void t.test('clean says that nothing was cleaned only where that is so', async (t) => {
  const machine = newOnlineMachine(t);
  await machine.cli('prepare');
  const snapshots = { ...noSnapshots, prune: () => Promise.reject(new Error('btrfs: no space')) };
  machine.ports.snapshots = () => Promise.resolve(snapshots);
  const cleaned = await machine.cli('clean');
  t.strictSame(
    [cleaned.exitCode, cleaned.stderr],
    [0, 'Old snapshots could not be removed: btrfs: no space\n'],
  );
  t.notOk(existsSync(machine.paths.stage));
});

void t.test(
  'what takes away does so beside a policy that is not valid, and no old root goes by it',
  async (t) => {
    const machine = newOnlineMachine(t);
    await machine.cli('prepare');
    await machine.cli('trigger');
    const wrong = '/etc/offline-update/config.d/10-wrong.toml';
    machine.write(wrong, 'keepFallbacks = "one"\n');
    t.equal((await machine.cli('cancel')).exitCode, 0);

    const pruned: unknown[][] = [];
    const prune = (...asked: unknown[]): Promise<void> => {
      pruned.push(asked);
      return Promise.resolve();
    };
    machine.ports.snapshots = () => Promise.resolve({ ...noSnapshots, prune });
    const cleaned = await machine.cli('clean');
    t.equal(cleaned.exitCode, 0);
    t.equal(cleaned.stdout, 'No update is prepared. Next: offline-update prepare\n');
    t.equal(
      cleaned.stderr,
      `All old snapshots are kept: ${machine.path(wrong)} is not valid: ✖ Invalid input: expected number, received string\n` +
        '  → at keepFallbacks\n  next: man 5 offline-update.toml lists every key\n',
    );
    t.notOk(existsSync(machine.paths.stage));
    t.strictSame(pruned, [[Infinity, 0]], 'what a failed update left goes all the same');
  },
);

void t.test('what asks the running system is not done for another root', async (t) => {
  const machine = newOnlineMachine(t);
  await machine.cli('prepare');
  const downloaded = [...machine.payload.downloaded];
  const boot = 'boot the system of /mnt/other, and there:';
  for (const [hint, verb, ...words] of [
    ['chroot /mnt/other offline-update prepare --json', 'prepare'],
    ['chroot /mnt/other offline-update prepare alpha=2.0 --json', 'prepare', 'alpha=2.0'],
    [`${boot} offline-update trigger --json`, 'trigger'],
    [`${boot} offline-update trigger --at 'tomorrow 03:00' --json`, 'trigger', '--at', 'tomorrow 03:00'],
    [`${boot} offline-update doctor --drill --json`, 'doctor', '--drill'],
  ] as const) {
    for (const typed of [
      ['--root', '/mnt/other', verb, ...words, '--json'],
      [verb, ...words, '--root=/mnt/other', '--json'],
    ]) {
      const called = await machine.cli(...typed);
      t.equal(called.exitCode, 2);
      t.strictSame(called.json(), {
        error: {
          code: 'USAGE',
          message: `${verb} asks the running system, whatever folder the files are in: no --root`,
          hint,
        },
      });
    }
  }
  t.strictSame(machine.payload.downloaded, downloaded);
  t.notOk(existsSync(machine.path('/system-update')));
});

void t.test('the next step for another root is not one for this system', async (t) => {
  const machine = newOnlineMachine(t);
  const other = async (...words: string[]): Promise<string> => {
    const { stdout, stderr } = await machine.cli('--root', '/mnt/o t', ...words);
    return (/next: +(.*)/i.exec(stdout + stderr) ?? [])[1] ?? '';
  };
  const boot = 'boot the system of /mnt/o t, and there: offline-update trigger';
  t.equal(await other('cancel'), "offline-update --root '/mnt/o t' status");
  t.equal(await other('report', '20261120T154935-3f2a'), "offline-update --root '/mnt/o t' history");
  await machine.cli('prepare');
  t.match((await machine.cli('--root', '/mnt/o t', 'status', '--json')).json(), { next: boot });
  await machine.cli('trigger');
  t.equal(await other('cancel'), boot);
  t.equal(await other('clean'), "chroot '/mnt/o t' offline-update prepare");
});

void t.test('who is not root types the same with sudo, for the same root', async (t) => {
  const machine = newOnlineMachine(t);
  for (const words of [
    ['--root', '/mnt/o t', 'cancel', '--json'],
    ['cancel', '--json', '--root=/mnt/o t'],
  ]) {
    const hint = "sudo offline-update --root '/mnt/o t' cancel --json";
    t.strictSame((await machine.cliAsUser(...words)).json(), {
      error: { code: 'NOT_PERMITTED', message: 'only root may do this', hint },
    });
  }
});

void t.test('--root is a folder, and never this very system by mistake', async (t) => {
  const roots: string[] = [];
  const called = (root: string) =>
    runCli(
      ['--root', root, 'history'],
      {
        verbs,
        makePorts: (path) => {
          roots.push(path);
          return Promise.reject(new UpdateError('BUSY', 'looked at no further'));
        },
      },
      { stdout: { write: () => true }, stderr: { write: () => true }, environment: {}, user: 0 },
    );
  t.equal(await called(''), 2);
  for (const root of ['//', '/mnt/', 'mnt']) t.equal(await called(root), 6);
  t.strictSame(roots, ['/', '/mnt', join(process.cwd(), 'mnt')]);
});

void t.test('colour is for terminals that want it', (t) => {
  const error = new UpdateError('BUSY', 'somebody is at work', { hint: 'wait' });
  const told = (isTTY: boolean, environment: Record<string, string>): string => {
    let text = '';
    const stream = { isTTY, write: (more: string) => (text += more) };
    const out = output({ isJson: false, stdout: stream, stderr: stream, environment });
    out.error('nothing was prepared', error);
    out.fields([['State', 'armed']]);
    return text;
  };
  const plain =
    'offline-update: nothing was prepared\n  why: somebody is at work\n  next: wait\nState  armed\n';
  t.equal(told(false, {}), plain);
  t.equal(told(true, { NO_COLOR: '1' }), plain);
  t.equal(told(true, { TERM: 'dumb' }), plain);
  t.equal(
    told(true, { TERM: 'linux' }),
    '\u001b[31moffline-update:\u001b[0m nothing was prepared\n  why: somebody is at work\n  next: wait\n\u001b[1mState\u001b[0m  armed\n',
  );
  t.end();
});

void t.test('quantities read as people write them', (t) => {
  t.strictSame([0, 999, 1000, 34_249, 999_949, 12_345_678, 123_456_789, -4096].map(bytesText), [
    '0 B',
    '999 B',
    '1.0 kB',
    '34.2 kB',
    '1.0 MB',
    '12.3 MB',
    '123 MB',
    '-4.1 kB',
  ]);
  t.strictSame([0, 7.4, 200, 3723].map(clockText), ['0:00', '0:07', '3:20', '1:02:03']);
  t.strictSame([0.57, 59.9, 200].map(secondsText), ['0.6 s', '59.9 s', '3:20 min']);
  t.strictSame([count(1, 'package'), count(2, 'package')], ['1 package', '2 packages']);
  t.equal(timeText('2026-11-20T15:49:35.123Z'), '2026-11-20 15:49:35 UTC');
  t.end();
});

void t.test(
  'the report as HTML is one file that needs nothing else, with nothing of the update as markup',
  async (t) => {
    const machine = await updated(t);
    const { journal } = await machine.ports.online.store.find(machine.id);
    await journal.append({
      note: 'hook',
      path: '/etc/<b>&"',
      exitCode: 1,
      output: '<script>alert(1)</script>',
    });
    const { stdout, exitCode } = await machine.cli('report', '--html');
    t.equal(exitCode, 0);
    t.match(stdout, /^<!doctype html>\n/);
    t.match(stdout, `<h1>Update ${machine.id}: <span class="bad">FAILED</span></h1>`);
    t.match(
      stdout,
      /<svg viewBox="0 0 900 24" role="img" aria-label="the update boot took 0\.50 s in 1 phases">/,
    );
    t.match(stdout, '<td>/etc/&lt;b&gt;&amp;&quot;</td>');
    t.notMatch(stdout, /<script|https?:|src=/);
  },
);
