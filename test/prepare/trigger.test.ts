import { appendFile, chmod, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { fileSystem } from '../../src/host/file-system.js';
import { HostError } from '../../src/host/host-error.js';
import { endOf } from '../../src/prepare/end-of.js';
import type { Triggered } from '../../src/prepare/trigger.js';
import type { StateName } from '../../src/update/state.js';
import { fakeRunningSystem } from '../fixtures/fake-running-system.js';
import { newOnlineMachine, newRoot, onlineMachine, type OnlineMachine } from '../fixtures/online-machine.js';
import { recordingFileSystem } from '../fixtures/recording-file-system.js';

interface Test {
  testdir(): string;
}

async function prepared(test: Test): Promise<OnlineMachine & { id: string }> {
  const machine = newOnlineMachine(test);
  const { id } = (await machine.cli('prepare', '--json')).json();
  return Object.assign(machine, { id: id as string });
}

const done = { exitCode: 0, signal: undefined, stdout: '', stderr: '' };

async function stateOf({ ports }: OnlineMachine): Promise<StateName | undefined> {
  return (await ports.online.store.current())?.journal.state.name;
}

async function linkAt(machine: OnlineMachine, path: string): Promise<string | undefined> {
  return readlink(machine.path(path)).catch(() => undefined);
}

void t.test('the prepared update is armed, with the wished end in one word for the shell', async (t) => {
  const auto = '  soft-reboot: nothing changes that a kernel, boot loader or initramfs reads\n';
  for (const [action, word, end, next, because] of [
    [[], 'soft-reboot', 'soft-reboots', 'soft-reboot', auto],
    [['--action', 'auto'], 'soft-reboot', 'soft-reboots', 'soft-reboot', auto],
    [['--action', 'reboot'], 'reboot', 'reboots', 'reboot', ''],
    [['--action', 'poweroff'], 'poweroff', 'powers off', 'soft-reboot', ''],
    [['--action', 'soft-reboot'], 'soft-reboot', 'soft-reboots', 'soft-reboot', ''],
  ] as const) {
    const machine = await prepared(t);
    const { exitCode, stdout, stderr } = await machine.cli('trigger', ...action);
    t.equal(exitCode, 0, stderr);
    t.equal(
      stdout,
      `Update ${machine.id} is armed: the next boot installs it, then ${end}.\n${because}Next: systemctl ${next}   (or offline-update cancel)\n`,
    );
    t.equal(await linkAt(machine, '/system-update'), '/var/lib/system-update');
    t.equal(await readFile(machine.paths.action, 'utf8'), `${word}\n`);
    t.equal(await readlink(machine.paths.open), `updates/${machine.id}`);
    t.equal(machine.reboots, 0);
  }
});

void t.test(
  'the update service is started ahead where a soft-reboot leads to it, once it is armed',
  async (t) => {
    for (const [action, started] of [
      ['auto', ['systemctl start offline-update-ahead.service, armed']],
      ['poweroff', ['systemctl start offline-update-ahead.service, armed']],
      ['reboot', []],
    ] as const) {
      for (const answers of [() => Promise.resolve(done), () => Promise.reject(new Error('no systemctl'))]) {
        const machine = await prepared(t);
        const asked: string[] = [];
        machine.ports.run = async (file, words) => {
          asked.push(`${file} ${words.join(' ')}, ${String(await stateOf(machine))}`);
          return answers();
        };
        t.equal((await machine.cli('trigger', '--action', action)).exitCode, 0);
        t.strictSame(asked, started);
      }
    }
  },
);

void t.test('a full reboot leads into the update boot only where one is owed or wished for', async (t) => {
  const full = 'systemd itself changes: systemd';
  const machine = newOnlineMachine(t);
  const { facts } = machine.ports;
  machine.payload.packages.push({ name: 'systemd', version: '2.0', content: 'systemd' });
  await machine.cli('prepare');
  const told = async (...words: string[]): Promise<unknown> => {
    const armed = (await machine.cli('trigger', '--json', ...words)).json() as unknown as Triggered;
    const { action, because, wayIn } = armed;
    await machine.cli('cancel');
    return { action, because, wayIn };
  };
  t.strictSame(await told(), { action: 'reboot', because: full, wayIn: 'soft-reboot' });
  t.strictSame(await told('--action', 'reboot'), { action: 'reboot', because: null, wayIn: 'reboot' });
  facts.runningSystem = () => fakeRunningSystem({ replacedUnderPid1: ['/usr/lib/systemd/systemd'] });
  t.strictSame(await told(), { action: 'reboot', because: full, wayIn: 'reboot' });
  t.strictSame(await told('--action', 'poweroff'), { action: 'poweroff', because: null, wayIn: 'reboot' });
  facts.runningSystem = () => Promise.reject(new Error('no /proc here'));
  t.match(await told(), { wayIn: 'reboot' }, 'doubt');
  facts.runningSystem = () => fakeRunningSystem();
  facts.systemdVersion = () => Promise.resolve(253);
  t.match(await told(), { action: 'reboot', wayIn: 'reboot' });
});

void t.test('systemd is asked for its version once, whatever the end', async (t) => {
  for (const action of ['auto', 'poweroff', 'soft-reboot'] as const) {
    const machine = await prepared(t);
    let asked = 0;
    machine.ports.facts.systemdVersion = () => {
      asked += 1;
      return Promise.resolve(257);
    };
    const { online, facts } = machine.ports;
    const plan = await online.store.readPlan(await online.store.find(machine.id));
    await endOf(online, plan, action, facts);
    t.equal(asked, 1, action);
  }
});

void t.test('the plan decides on the end unless the command does', async (t) => {
  const machine = newOnlineMachine(t);
  machine.write('/etc/offline-update/config.toml', 'action = "poweroff"\n');
  await machine.cli('prepare');
  t.match((await machine.cli('trigger', '--json')).json(), { action: 'poweroff' });
});

void t.test('--now asks for the reboot that leads into the update, whatever its end', async (t) => {
  const machine = await prepared(t);
  const called = await machine.cli('trigger', '--now', '--action', 'poweroff', '--json');
  t.strictSame(called.json(), {
    state: 'armed',
    id: machine.id,
    action: 'poweroff',
    because: null,
    wayIn: 'soft-reboot',
    trigger: machine.path('/system-update'),
    findings: [],
    rehearsal: null,
    estimate: null,
    rebootAskedBy: 'the fake',
  });
  t.equal(called.stderr, '');
  t.equal(machine.reboots, 1);
});

void t.test('when nobody reboots, the update stays armed and each rung is told', async (t) => {
  const machine = await prepared(t);
  machine.ports.leave = (_action, log) => {
    log('reboot not possible by logind: inhibited');
    return Promise.reject(new HostError('POWER_INHIBITED', 'a backup is running'));
  };
  const { exitCode, stderr } = await machine.cli('trigger', '--now');
  t.equal(exitCode, 1);
  t.equal(
    stderr,
    `reboot not possible by logind: inhibited
offline-update: the update is armed, but the machine does not reboot
  why: a backup is running
  next: systemctl soft-reboot --ignore-inhibitors
`,
  );
  t.equal(await stateOf(machine), 'armed');
});

void t.test(
  'invariant 3: all that the update boot reads is durable before the link, which is one symlink',
  async (t) => {
    const root = newRoot(t);
    const recording = recordingFileSystem(fileSystem, { root });
    const machine = onlineMachine(root, recording.fs);
    const { id } = (await machine.cli('prepare', '--json')).json() as { id: string };
    machine.write('/var/lib/offline-update/claims', 'of an earlier update\n');
    recording.takeLines();
    await machine.cli('trigger');
    const folder = `var/lib/offline-update/updates/${id}`;
    const journal = `${folder}/journal.jsonl`;
    t.strictSame(
      recording.takeLines().map((line) => line.replace(/ "\{.*"/, ' ROW')),
      [
        'makeFolder run/offline-update 755',
        `createFile ${folder}/.baseline.json.*.new ROW 644`,
        `syncFile ${folder}/.baseline.json.*.new`,
        `rename ${folder}/.baseline.json.*.new ${folder}/baseline.json`,
        `syncFolder ${folder}`,
        'unlink var/lib/offline-update/claims',
        'syncFolder var/lib/offline-update',
        'unlink var/lib/offline-update/rescued',
        'createFile var/lib/offline-update/.action.*.new "soft-reboot\\n" 644',
        'syncFile var/lib/offline-update/.action.*.new',
        'rename var/lib/offline-update/.action.*.new var/lib/offline-update/action',
        'syncFolder var/lib/offline-update',
        'unlink var/lib/offline-update/open',
        `symlink updates/${id} var/lib/offline-update/open`,
        'syncFolder var/lib/offline-update',
        `appendFile ${journal} ROW`,
        `syncFile ${journal}`,
        'symlink /var/lib/system-update system-update',
        'syncFolder .',
        'unlink var/lib/offline-update/scheduled.json',
      ],
    );
  },
);

void t.test(
  'a trigger that appears at the last instant is not touched, and ours is taken back',
  async (t) => {
    const root = newRoot(t);
    const recording = recordingFileSystem(fileSystem, {
      root,
      before: ({ verb, args }) => {
        if (verb === 'symlink' && args[1] === machine.path('/system-update'))
          machine.link('/var/cache/PackageKit/prepared-update', '/system-update');
      },
    });
    const machine: OnlineMachine = onlineMachine(root, recording.fs);
    await machine.cli('prepare');
    const called = await machine.cli('trigger', '--json');
    t.equal(called.exitCode, 7);
    t.strictSame(called.json(), {
      error: {
        code: 'FOREIGN_TRIGGER',
        message: `${machine.path('/system-update')} points to /var/cache/PackageKit/prepared-update: an update of PackageKit is armed`,
        hint: 'offline-update status',
      },
    });
    t.equal(await linkAt(machine, '/system-update'), '/var/cache/PackageKit/prepared-update');
    t.equal(await stateOf(machine), 'prepared');
    t.strictSame(await fileSystem.readFolder(machine.paths.state), ['updates']);
  },
);

void t.test(
  'a step that fails after it took effect is undone as well, and the first error is told',
  async (t) => {
    const root = newRoot(t);
    const broken = new Set<string>();
    const at = (path: string): string => join(root, path);
    const recording = recordingFileSystem(fileSystem, {
      before({ verb, args: [path] }) {
        if (broken.delete(`${verb} ${String(path)}`)) throw new Error(`EIO: ${verb}`);
      },
    });
    const machine: OnlineMachine = onlineMachine(root, recording.fs);
    await machine.cli('prepare');
    const id = (await machine.ports.online.store.current())?.id ?? '';
    const rows = join(machine.paths.updates, id, 'journal.jsonl');
    for (const [failing, left] of [
      // the link, the row and the mark are there by then
      [[`syncFolder ${at('')}`], undefined],
      [[`syncFile ${rows}`], undefined],
      [[`syncFolder ${machine.paths.state}`], undefined],
      // and an undo that fails leaves the ones before it to be undone, and its own error untold
      [[`syncFolder ${at('')}`, `unlink ${at('system-update')}`], '/var/lib/system-update'],
    ] as const) {
      for (const call of failing) broken.add(call);
      const { exitCode, stderr } = await machine.cli('trigger');
      t.equal(exitCode, 1);
      t.match(stderr, `why: EIO: ${failing[0].split(' ')[0] ?? ''}\n`);
      t.equal(await stateOf(machine), 'prepared', failing.join());
      t.strictSame(await fileSystem.readFolder(machine.paths.state), ['updates']);
      t.equal(await linkAt(machine, '/system-update'), left, failing.join());
    }
  },
);

void t.test(
  'a power cut before the link leaves an ordinary boot; status tells it and cancel puts it straight',
  async (t) => {
    const root = newRoot(t);
    let isCut = true;
    const cut = recordingFileSystem(fileSystem, {
      before: ({ verb, args }) => {
        if (isCut && verb === 'symlink' && args[1] === machine.path('/system-update'))
          throw new Error('power');
        // nothing after the cut reaches the disk
        if (cut.calls.some((call) => call.args[1] === machine.path('/system-update')) && isCut)
          throw new Error('power');
      },
    });
    const machine: OnlineMachine = onlineMachine(root, cut.fs);
    const { id } = (await machine.cli('prepare', '--json')).json();
    await machine.cli('trigger');
    isCut = false;
    t.match((await machine.cli('status', '--json')).json(), {
      state: 'armed',
      id,
      contradictions: [
        `armed, but ${machine.path('/system-update')} is not there: the next boot will not install it`,
      ],
      next: 'offline-update cancel',
    });
    t.equal((await machine.cli('cancel')).exitCode, 0);
    t.equal((await machine.cli('trigger')).exitCode, 0);
  },
);

void t.test('what stands in the way is named with its remedy, and nothing is armed', async (t) => {
  const machine = await prepared(t);
  machine.facts.kernelCommandLine = () => Promise.resolve(['single', 'systemd.unit=rescue.target']);
  const { exitCode, stdout, stderr } = await machine.cli('trigger');
  t.equal(exitCode, 5);
  t.equal(stdout, '');
  t.equal(
    stderr,
    `offline-update: the update was not armed
  why: "single" on the kernel command line overrides the update boot [kernel-command-line]
       take it out of the boot loader's configuration and reboot
  why: "systemd.unit=rescue.target" on the kernel command line overrides the update boot [kernel-command-line]
       take it out of the boot loader's configuration and reboot
  next: offline-update doctor
`,
  );
  t.equal(await stateOf(machine), 'prepared');
  t.equal(await linkAt(machine, '/system-update'), undefined);
  const { error } = (await machine.cli('trigger', '--json')).json();
  t.match(error, { code: 'PREFLIGHT_BLOCKED', findings: [{ check: 'kernel-command-line' }, {}] });
});

void t.test('a warning does not stand in the way', async (t) => {
  const machine = await prepared(t);
  machine.facts.packageLockHolder = () =>
    Promise.resolve({ pid: 42, command: 'apt', lock: '/var/lib/dpkg/lock' });
  const { exitCode, stderr } = await machine.cli('trigger');
  t.equal(exitCode, 0);
  t.equal(
    stderr,
    `Warning: apt (process 42) holds /var/lib/dpkg/lock: it may change the system [lock-held]
  wait until it has ended: offline-update status tells whether the plan still fits
`,
  );
});

void t.test('while somebody changes packages it is busy, and the update does not become stale', async (t) => {
  const machine = await prepared(t);
  const evidence = 'dpkg (process 42) is at work on the packages and holds /var/lib/dpkg/lock';
  const remedy = 'wait until it has ended, then try again';
  const finding = { check: 'lock-held', severity: 'block', evidence, remedy } as const;
  machine.payload.findings = [finding];
  machine.facts.packageLockHolder = () =>
    Promise.resolve({ pid: 42, command: 'dpkg', lock: '/var/lib/dpkg/lock' });
  t.strictSame((await machine.cli('doctor', '--json')).json().findings, [finding], 'said once');
  const { exitCode, stderr } = await machine.cli('trigger');
  t.equal(exitCode, 6);
  t.match(stderr, `  why: ${evidence}\n  next: ${remedy}\n`);
  t.equal(await stateOf(machine), 'prepared');
  machine.payload.findings = [];
  t.equal((await machine.cli('trigger')).exitCode, 0);
});

void t.test('invariant 1: another update on either path is left alone', async (t) => {
  for (const path of ['/system-update', '/etc/system-update']) {
    const machine = await prepared(t);
    machine.link('/usr/lib/sysimage/libdnf5/offline', path);
    const called = await machine.cli('trigger', '--json');
    t.equal(called.exitCode, 7);
    t.match(called.json(), { error: { code: 'FOREIGN_TRIGGER' } });
    t.equal(await linkAt(machine, path), '/usr/lib/sysimage/libdnf5/offline');
    t.equal(await stateOf(machine), 'prepared');
  }
});

void t.test('a link of ours that is left is told as what it is, and taken away by a cancel', async (t) => {
  const machine = await prepared(t);
  machine.link('/var/lib/system-update', '/system-update');
  const finding = {
    check: 'trigger-left',
    severity: 'block',
    evidence: `${machine.path('/system-update')} is set, but no update is armed: the next boot will refuse it`,
    remedy: 'offline-update cancel',
  };
  t.strictSame((await machine.cli('doctor', '--json')).json(), { blocked: true, findings: [finding] });
  const refused = await machine.cli('trigger', '--json');
  t.match(refused.json(), { error: { code: 'PREFLIGHT_BLOCKED', findings: [finding] } });
  t.equal(await linkAt(machine, '/system-update'), '/var/lib/system-update', 'what was not ours to undo');
  t.equal((await machine.cli('cancel')).exitCode, 0);
  t.equal((await machine.cli('trigger')).exitCode, 0);
  t.strictSame((await machine.cli('doctor', '--json')).json(), { blocked: false, findings: [] });
});

void t.test('a system that changed since is found stale, and only a new plan can be armed', async (t) => {
  const machine = await prepared(t);
  machine.payload.fingerprint = 'b'.repeat(64);
  const called = await machine.cli('trigger');
  t.equal(called.exitCode, 5);
  t.equal(
    called.stderr,
    `offline-update: the update was not armed
  why: the installed packages changed since the plan was made
  next: offline-update prepare
`,
  );
  t.equal(await stateOf(machine), 'stale');
  const again = await machine.cli('trigger', '--json');
  t.match(again.json(), {
    error: {
      code: 'DRIFT',
      message: 'the prepared update no longer fits: the installed packages changed since the plan was made',
    },
  });
  t.equal((await machine.cli('prepare')).exitCode, 0);
  t.equal((await machine.cli('trigger')).exitCode, 0);
});

void t.test('the next step plans the same anew: not all of the system for who named a package', async (t) => {
  for (const [words, next] of [
    [['alpha', 'beta=2.0'], 'offline-update prepare alpha beta=2.0'],
    [['--full'], 'offline-update prepare --full'],
  ] as const) {
    const machine = newOnlineMachine(t);
    await machine.cli('prepare', ...words);
    machine.payload.fingerprint = 'b'.repeat(64);
    t.match((await machine.cli('status', '--json')).json(), { state: 'prepared', drift: true, next });
    const findings = [{ check: 'drift', remedy: next }];
    t.match((await machine.cli('doctor', '--json')).json(), { findings });
    t.match((await machine.cli('trigger', '--json')).json(), {
      error: { code: 'DRIFT', hint: next, findings },
    });
    t.match(
      (await machine.cli('trigger', '--json')).json(),
      { error: { code: 'DRIFT', hint: next } },
      'stale',
    );
    t.match((await machine.cli('status', '--json')).json(), { state: 'stale', next });

    const spoilt = newOnlineMachine(t);
    await spoilt.cli('prepare', ...words);
    await appendFile(spoilt.path('/var/lib/system-update/plan.json'), '\n');
    t.match((await spoilt.cli('doctor', '--json')).json(), {
      findings: [{ check: 'stage-intact', remedy: next }],
    });
    t.match((await spoilt.cli('trigger', '--json')).json(), { error: { code: 'PLAN_TAMPERED', hint: next } });
  }
});

void t.test('invariant 7: a stage that is not as sealed is refused with its own code', async (t) => {
  const alpha = 'packages/alpha_2.0_all.deb';
  const beta = 'packages/beta_2.0_all.deb';
  const rows: [code: string, spoil: (stage: string) => Promise<void>][] = [
    ['STAGE_TAMPERED', (stage) => writeFile(join(stage, alpha), 'ALPHA, version two')],
    ['STAGE_TRUNCATED', (stage) => writeFile(join(stage, alpha), 'alpha')],
    ['STAGE_FILE_MISSING', (stage) => rm(join(stage, alpha))],
    ['STAGE_WORLD_WRITABLE', (stage) => chmod(join(stage, alpha), 0o666)],
    ['STAGE_MODE', (stage) => chmod(stage, 0o755)],
    ['STAGE_UNEXPECTED_FILE', (stage) => writeFile(join(stage, 'packages/more.deb'), 'x')],
    [
      'STAGE_SYMLINK',
      async (stage) => {
        await rm(join(stage, alpha));
        await symlink(join(stage, beta), join(stage, alpha));
      },
    ],
    [
      'STAGE_SWAPPED',
      async (stage) => {
        await rename(join(stage, alpha), join(stage, 'x'));
        await rename(join(stage, beta), join(stage, alpha));
        await rename(join(stage, 'x'), join(stage, beta));
      },
    ],
    [
      'PLAN_TAMPERED',
      async (stage) =>
        writeFile(join(stage, 'plan.json'), `${await readFile(join(stage, 'plan.json'), 'utf8')} `),
    ],
  ];
  for (const [code, breakIt] of rows) {
    const machine = await prepared(t);
    await breakIt(machine.paths.stage);
    const called = await machine.cli('trigger', '--json');
    t.equal(called.exitCode, 5);
    t.match(called.json(), { error: { code, hint: 'offline-update prepare' } });
    t.equal(await linkAt(machine, '/system-update'), undefined, code);
  }
});

void t.test(
  '/etc/system-update is used only where the root cannot be written and systemd looks there',
  async (t) => {
    const rows = [
      { writable: ['/', '/etc'], systemd: 257, at: '/system-update' },
      { writable: ['/etc'], systemd: 254, at: '/etc/system-update' },
      { writable: ['/etc'], systemd: 253, at: undefined },
      { writable: [], systemd: 257, at: undefined },
    ];
    for (const { writable, systemd, at } of rows) {
      const machine = await prepared(t);
      const folders = writable.map((path) => machine.path(path));
      machine.facts.isWritableFolder = (path) =>
        Promise.resolve(folders.includes(machine.path(path.slice(machine.root.length) || '/')));
      machine.facts.systemdVersion = () => Promise.resolve(systemd);
      t.equal((await machine.cli('trigger')).exitCode, at === undefined ? 5 : 0);
      for (const path of ['/system-update', '/etc/system-update'])
        t.equal(await linkAt(machine, path), path === at ? '/var/lib/system-update' : undefined);
    }
  },
);

void t.test('in every other state trigger says what to do instead', async (t) => {
  const machine = newOnlineMachine(t);
  t.strictSame((await machine.cli('trigger', '--json')).json(), {
    error: { code: 'PLAN_MISSING', message: 'no update is prepared', hint: 'offline-update prepare' },
  });
  const { id } = (await machine.cli('prepare', '--json')).json() as { id: string };
  await machine.cli('trigger');
  t.strictSame((await machine.cli('trigger', '--json')).json(), {
    error: {
      code: 'ARMED',
      message: `update ${id} is armed already, to end in soft-reboot`,
      hint: 'systemctl soft-reboot',
    },
  });
  t.strictSame((await machine.cli('trigger', '--action', 'poweroff', '--json')).json(), {
    error: {
      code: 'ARMED',
      message: `update ${id} is armed already, to end in soft-reboot; cancel it first to end in poweroff`,
      hint: 'offline-update cancel',
    },
  });
  const { journal } = await machine.ports.online.store.find(id);
  await journal.append({ event: 'claimed', attempt: 1 });
  t.match((await machine.cli('trigger', '--json')).json(), { error: { code: 'BUSY' } });
  const message = 'three attempts\nThe last lines of the terminal log:\ndpkg: error processing package';
  await journal.append({ event: 'blocked', reason: { code: 'ATTEMPTS_USED_UP', message } });
  t.strictSame((await machine.cli('trigger', '--json')).json(), {
    error: {
      code: 'BLOCKED',
      message: `update ${id} is blocked: three attempts`,
      hint: 'offline-update clean',
    },
  });
});
