import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { version } from '../../src/cli/version.js';
import type { UpdateEvent } from '../../src/update/events.js';
import { writeLiveStatus } from '../../src/update/live-status.js';
import { fakeSnapshots } from '../fixtures/fake-snapshots.js';
import { performed } from '../fixtures/fake-rehearsal.js';
import { newOnlineMachine, type OnlineMachine } from '../fixtures/online-machine.js';

function newMachine(test: { testdir(): string }): OnlineMachine {
  return newOnlineMachine(test);
}

async function status(machine: OnlineMachine, ...words: string[]): Promise<Record<string, unknown>> {
  return (await machine.cli('status', '--json', ...words)).json();
}

const absent = { kind: 'absent' };

void t.test('with nothing prepared status says so, and what to type', async (t) => {
  const machine = newMachine(t);
  t.strictSame(await status(machine), {
    format: 1,
    version,
    state: 'none',
    id: null,
    reason: null,
    links: [
      { path: machine.path('/system-update'), link: absent, claimed: absent },
      { path: machine.path('/etc/system-update'), link: absent, claimed: absent },
    ],
    drift: null,
    stage: { intact: null, checked: 'plan', problem: null },
    plan: null,
    failedBefore: null,
    action: null,
    actionBecause: null,
    wayIn: null,
    unsignedSources: [],
    contradictions: [],
    wayBack: null,
    otherRootNext: false,
    scheduled: null,
    reboot: null,
    putOff: null,
    fallbacks: [],
    live: null,
    lastVerdict: null,
    rehearsal: null,
    estimate: null,
    next: 'offline-update prepare',
  });
  t.equal(
    (await machine.cli('status')).stdout,
    `State     no update is prepared
Trigger   not set: the next boot is an ordinary one
Next      offline-update prepare
`,
  );
});

void t.test('an armed update is told whole', async (t) => {
  const machine = newMachine(t);
  const { id } = (await machine.cli('prepare', '--json')).json();
  await machine.cli('trigger', '--action', 'poweroff');
  t.match(await status(machine), {
    state: 'armed',
    id,
    action: 'poweroff',
    plan: {
      request: { mode: 'upgrade', packages: [] },
      counts: { install: 0, upgrade: 2, downgrade: 0, reinstall: 0, remove: 0 },
      downloadBytes: 35,
      recompressed: null,
      notRecompressed: [],
      diskBytes: 4096,
      changes: [
        { name: 'alpha', architecture: 'all', action: 'upgrade', from: '1.0', to: '2.0' },
        { name: 'beta', architecture: 'all', action: 'upgrade', from: '1.0', to: '2.0' },
      ],
    },
    links: [{ link: { kind: 'ours', target: '/var/lib/system-update' } }, { link: absent }],
    drift: false,
    stage: { intact: true, checked: 'plan' },
    contradictions: [],
    wayIn: 'soft-reboot',
    next: 'systemctl soft-reboot',
  });
  t.equal(
    (await machine.cli('status')).stdout,
    `State     armed: the next boot installs it and powers off
Update    ${String(id)}
Plan      2 packages upgraded
          35 B of packages, 4.1 kB more on disk
          made 2026-11-20 15:00:01 UTC
Ends in   poweroff
Trigger   ${machine.path('/system-update')} -> /var/lib/system-update (ours)
Stage     the plan is as sealed (--verify checks every file)
System    unchanged since the plan was made
Way back  NONE, an interrupted install is finished by dpkg: no snapshot provider for this root file system
          (policy: snapshot = "prefer")
Next      systemctl soft-reboot
`,
  );
});

void t.test('the way back: by the policy of the plan, looked at ahead, and as it was recorded', async (t) => {
  const machine = newMachine(t);
  machine.ports.snapshots = () => Promise.resolve(fakeSnapshots());
  machine.write('/etc/offline-update/config.toml', 'snapshot = "require"\n');
  const { id } = (await machine.cli('prepare', '--json')).json() as { id: string };
  machine.write('/etc/offline-update/config.toml', 'snapshot = "off"\n');
  const policy = { snapshot: 'require', withoutSnapshots: 'copy' };
  const ahead = { policy, from: 'ahead', provider: 'fake', proven: true, told: 'a fake' };
  t.strictSame((await status(machine))['wayBack'], ahead, 'what the plan says, not the file');
  t.match(
    (await machine.cli('status')).stdout,
    'Way back  fake: a fake\n          (policy: snapshot = "require")\n',
  );
  machine.ports.isRoot = false;
  const user = {
    ...ahead,
    provider: null,
    proven: null,
    told: 'not looked at here: sudo offline-update status tells whether there is one',
  };
  t.strictSame((await status(machine))['wayBack'], user);
  machine.ports.isRoot = true;

  await machine.cli('trigger');
  const none = { usable: false, reason: '/opt is a subvolume with files' };
  machine.ports.snapshots = () => Promise.resolve({ ...fakeSnapshots(), probe: () => Promise.resolve(none) });
  const refused = { ...ahead, provider: null, proven: false, told: none.reason };
  t.strictSame((await status(machine))['wayBack'], refused, 'looked at anew once it is armed');
  t.match((await machine.cli('status')).stdout, 'Way back  NONE, it will be refused: /opt is a subvolume');
  machine.ports.snapshots = () =>
    Promise.resolve({ ...fakeSnapshots(), probe: () => Promise.reject(new Error('btrfs: not there')) });
  t.match(await status(machine), {
    wayBack: { proven: false, told: 'it cannot be looked at: btrfs: not there' },
  });

  const { journal } = await machine.ports.online.store.find(id);
  await journal.append({ event: 'claimed', attempt: 1 });
  t.equal((await status(machine))['wayBack'], null, 'the attempt has not come so far');
  const fallback = { provider: 'fake', reference: id };
  await journal.append({ event: 'installing', attempt: 1, fallback });
  const recorded = { policy, from: 'recorded', provider: 'fake', proven: true };
  t.strictSame((await status(machine))['wayBack'], { ...recorded, told: 'armed before the first change' });
});

void t.test('an update that began without a way back says why', async (t) => {
  const machine = newMachine(t);
  machine.write('/etc/offline-update/config.toml', 'snapshot = "off"\n');
  const { id } = (await machine.cli('prepare', '--json')).json() as { id: string };
  t.match(await status(machine), {
    wayBack: { provider: null, proven: false, told: 'the policy wants none' },
  });
  await machine.cli('trigger');
  const { journal } = await machine.ports.online.store.find(id);
  await journal.append({ event: 'claimed', attempt: 1 });
  const message = 'no fallback: the policy says off';
  await journal.append({ note: 'finding', check: 'snapshot', message });
  await journal.append({ event: 'installing', attempt: 1, fallback: null });
  t.match(await status(machine), {
    wayBack: { from: 'recorded', provider: null, proven: false, told: message },
  });
});

void t.test('drift, another tool and a tampered file are told beside the state', async (t) => {
  const machine = newMachine(t);
  await machine.cli('prepare');
  machine.payload.fingerprint = 'b'.repeat(64);
  machine.link('/var/lib/dnf/system-upgrade', '/system-update');
  machine.write('/etc/system-update', '');
  await writeFile(join(machine.paths.stage, 'packages/alpha_2.0_all.deb'), 'ALPHA, version two');
  const first = `${machine.path('/system-update')} points to /var/lib/dnf/system-upgrade: an update of dnf system-upgrade is armed`;
  const second = `${machine.path('/etc/system-update')} is a file, not a link: systemd takes it for an armed update`;
  const tampered = 'the content of packages/alpha_2.0_all.deb is not what was sealed';
  t.match(await status(machine), {
    state: 'prepared',
    drift: true,
    stage: { intact: true, checked: 'plan' },
    contradictions: [first, second, 'packages were changed since the plan was made: it may be refused'],
    next: 'offline-update prepare',
  });
  t.match(await status(machine, '--verify'), {
    stage: { intact: false, checked: 'whole', problem: { code: 'STAGE_TAMPERED', message: tampered } },
    contradictions: [first, second, /packages were changed/, tampered],
    next: 'offline-update prepare',
  });
});

void t.test("another tool's update comes first, in the words of the trigger that refuses", async (t) => {
  const machine = newMachine(t);
  await machine.cli('prepare');
  for (const path of ['/system-update', '/system-update.claimed']) {
    machine.link('/var/lib/dnf/system-upgrade', path);
    const next = `reboot to let that update run, or drop it: rm ${machine.path(path)}`;
    t.match(await status(machine), { state: 'prepared', next });
    const refused = await machine.cli('trigger', '--json');
    t.match(refused.json(), { error: { code: 'FOREIGN_TRIGGER', hint: next } });
    await machine.ports.online.files.remove(machine.path(path));
  }
  t.match(await status(machine), { next: 'offline-update trigger' });
});

void t.test('links that do not fit the state are contradictions in words', async (t) => {
  const machine = newMachine(t);
  machine.link('/var/lib/system-update', '/system-update');
  machine.link('/var/lib/system-update', '/etc/system-update');
  machine.link('/var/lib/system-update', '/system-update.claimed');
  t.match(await status(machine), {
    state: 'none',
    contradictions: [
      `${machine.path('/system-update')} is set, but no update is armed: the next boot will refuse it`,
      `${machine.path('/etc/system-update')} is set, but no update is armed: the next boot will refuse it`,
      'both trigger links are set: systemd looks at the first one',
      `${machine.path('/system-update.claimed')} is left over: no attempt is under way`,
    ],
    next: 'offline-update cancel',
  });
});

void t.test('what is masked since, so that no boot goes on, is told, and what to type', async (t) => {
  const machine = newMachine(t);
  await machine.cli('prepare');
  await machine.cli('trigger');
  const [target, service, guard] = [
    'system-update.target',
    'offline-update.service',
    'offline-update-guard.service',
  ];
  const mask = (unit: string): void => {
    machine.link('/dev/null', `/etc/systemd/system/${unit}`);
  };
  const unmask = (unit: string) =>
    machine.ports.online.files.remove(machine.path(`/etc/systemd/system/${unit}`));
  const waits = 'masked: the next boot does not go on with the update';
  mask(target);
  t.match(await status(machine), {
    contradictions: [`${target} is ${waits}`],
    next: `systemctl unmask ${target}`,
  });
  await unmask(target);
  mask(service);
  t.match(await status(machine), { contradictions: [`${service} is ${waits}`] });
  await machine.ports.online.files.remove(machine.path('/system-update'));
  machine.link('/var/lib/system-update', '/system-update.claimed');
  t.match(await status(machine), { contradictions: [] }, 'the shell makes an end of what was begun');
  mask(guard);
  t.match(await status(machine), {
    contradictions: [`${service} and ${guard} are ${waits}`],
    next: `systemctl unmask ${service} ${guard}`,
  });
});

void t.test('the end of an update is told until the next one is prepared', async (t) => {
  const machine = newMachine(t);
  const { id } = (await machine.cli('prepare', '--json')).json() as { id: string };
  await machine.cli('trigger');
  const { store, files, paths } = machine.ports.online;
  const { journal } = await store.find(id);
  const events: UpdateEvent[] = [
    { event: 'claimed', attempt: 1 },
    { event: 'installing', attempt: 1, fallback: null },
    { event: 'installed', attempt: 1 },
    { event: 'confirmed' },
  ];
  for (const event of events) await journal.append(event);
  await store.unmarkOpen();
  await files.remove(machine.path('/system-update'));
  await files.removeTree(paths.stage);
  const at = journal.rows.at(-1)?.at;
  t.match(await status(machine), {
    state: 'confirmed',
    id,
    lastVerdict: { id, verdict: 'confirmed', reason: null, at },
    contradictions: [],
    next: 'offline-update prepare',
  });
  t.equal((await machine.cli('prepare')).exitCode, 0);
  t.match(await status(machine), { state: 'prepared', lastVerdict: { id, verdict: 'confirmed' } });
});

void t.test('the whole of a reason is told once, and elsewhere its first line', async (t) => {
  const machine = newMachine(t);
  const { id } = (await machine.cli('prepare', '--json')).json() as { id: string };
  await machine.cli('trigger');
  machine.moment.bootId = 'boot-2';
  const { store, files } = machine.ports.online;
  const { journal } = await store.find(id);
  const first = 'apt-get failed (exit code 100): beta: its postinst ended with 1';
  const tail = 'The last lines of the terminal log:\nSetting up beta (2.0) ...';
  const reason = { code: 'INSTALL_FAILED', message: `${first}\n${tail}` } as const;
  await journal.append({ event: 'claimed', attempt: 1 });
  await journal.append({ event: 'installing', attempt: 1, fallback: null });
  await journal.append({ note: 'finding', check: 'install', message: reason.message });
  await journal.append({ event: 'failed', reason, healed: true });
  await store.unmarkOpen();
  await files.remove(machine.path('/system-update'));
  const tails = (text: string): number => text.split('Setting up beta').length - 1;
  const failed = (await machine.cli('status')).stdout;
  t.match(failed, `Last      ${id}: failed (${first})\nNext `);
  t.equal(tails(failed), 1, 'the row Reason');
  t.match(await status(machine), { reason, lastVerdict: { reason } });
  t.match((await machine.cli('history')).stdout, `\n  ${first}\n`);
  t.equal(tails((await machine.cli('history')).stdout), 0);
  t.match((await machine.cli('history', '--json')).json(), { updates: [{ reason }] });
  const { stdout: report } = await machine.cli('report');
  t.match(report, `Reason: ${reason.message} [INSTALL_FAILED]\n`);
  t.match(report, `UTC  failed, the packages are whole: ${first}\n`);
  t.match((await machine.cli('report', '--json')).json(), { reason });

  machine.rehearsal.scenes = [performed({ reason })];
  t.equal((await machine.cli('prepare', '--rehearse')).exitCode, 5);
  await (await store.current())?.journal.append({ note: 'put-off', reason, next: null });
  const prepared = (await machine.cli('status')).stdout;
  t.match(prepared, `\nFailed    the same changes were made by update ${id}, which failed: ${first}\n`);
  t.match(prepared, `\nPut off   ${first}\n`);
  t.match(prepared, `\nTried     the rehearsal FAILED: ${first}\n`);
  t.equal(tails(prepared), 0);
});

void t.test('after a failed rehearsal the next step is no trigger', async (t) => {
  const machine = newMachine(t);
  const reason = { code: 'INSTALL_FAILED', message: 'beta: its postinst ended with 1' };
  machine.rehearsal.scenes = [performed({ reason }), performed()];
  const next = 'offline-update prepare --rehearse';
  t.equal((await machine.cli('prepare', '--rehearse')).exitCode, 5);
  t.match(await status(machine), { state: 'prepared', next });
  const put = { code: 'REHEARSAL_FAILED', message: `the rehearsal failed: ${reason.message}` } as const;
  await (
    await machine.ports.online.store.current()
  )?.journal.append({
    note: 'put-off',
    reason: put,
    next: null,
  });
  t.match(await status(machine), { next }, 'doctor would not try it');
  t.equal((await machine.cli('prepare', '--rehearse')).exitCode, 0);
  t.match(await status(machine), { next: 'offline-update trigger' });
});

void t.test('in every state there is a next step', async (t) => {
  const reason = { code: 'INSTALL_FAILED', message: 'lab-bad failed' } as const;
  const claimed: UpdateEvent = { event: 'claimed', attempt: 1 };
  const installing: UpdateEvent = { event: 'installing', attempt: 1, fallback: null };
  const rows: [state: string, next: string, ...events: UpdateEvent[]][] = [
    ['stale', 'offline-update prepare', { event: 'stale', reason }],
    ['claimed', 'systemctl reboot', claimed],
    ['refused', 'offline-update report', claimed, { event: 'refused', reason }],
    ['installing', 'systemctl reboot', claimed, installing],
    ['failed', 'offline-update report', claimed, installing, { event: 'failed', reason, healed: true }],
    ['reverted', 'offline-update report', claimed, installing, { event: 'reverted', reason }],
    [
      'installed',
      'systemctl start offline-update-confirm.service',
      claimed,
      installing,
      { event: 'installed', attempt: 1 },
    ],
    ['blocked', 'offline-update clean', claimed, { event: 'blocked', reason }],
  ];
  for (const [state, next, ...events] of rows) {
    const machine = newMachine(t);
    const { id } = (await machine.cli('prepare', '--json')).json() as { id: string };
    await machine.cli('trigger');
    machine.moment.bootId = 'boot-2';
    const { journal } = await machine.ports.online.store.find(id);
    for (const event of events) await journal.append(event);
    await machine.ports.online.files.remove(machine.path('/system-update'));
    machine.moment.bootId = 'boot-3';
    t.match(await status(machine), { state, next, id, contradictions: [] });
    const { exitCode, stdout } = await machine.cli('status');
    t.equal(exitCode, 0);
    t.match(stdout, `Next      ${next}\n`);
  }
});

void t.test('in the update boot itself nobody is told to reboot', async (t) => {
  const machine = newMachine(t);
  const { id } = (await machine.cli('prepare', '--json')).json() as { id: string };
  await machine.cli('trigger');
  const { fs, files, store } = machine.ports.online;
  const next = 'offline-update status --follow';
  // As the shell leaves it, before Node.js is there.
  machine.moment.bootId = 'boot-2';
  await fs.rename(machine.path('/system-update'), machine.path('/system-update.claimed'));
  await files.replace(machine.paths.claims, 'boot-2\n', 0o644);
  t.match(await status(machine), { state: 'armed', next, contradictions: [] });
  const { journal } = await store.find(id);
  await files.replace(machine.paths.updateBoot, '', 0o644);
  for (const event of [
    { event: 'claimed', attempt: 1 },
    { event: 'installing', attempt: 1, fallback: null },
    { event: 'installed', attempt: 1 },
  ] as const) {
    await journal.append(event);
    t.match(await status(machine), { state: event.event, next, contradictions: [] });
  }
  // The boot after it, by a soft-reboot, which keeps the boot id.
  await files.remove(machine.paths.updateBoot);
  t.match(await status(machine), { next: 'systemctl start offline-update-confirm.service' });
});

void t.test('what the service says of itself is passed on', async (t) => {
  const machine = newMachine(t);
  const live = {
    format: 1,
    pid: process.pid,
    id: '20261120T150001-abcd',
    state: 'installing',
    phase: 'install',
    percent: 43,
    package: 'openssl',
    text: 'Installing updates',
    since: '2026-11-20T15:00:00.000Z',
    lastEvent: '2026-11-20T15:00:09.000Z',
    stalled: false,
  } as const;
  await writeLiveStatus(machine.ports.online.fs, machine.paths, live);
  t.match(await status(machine), { live });
  t.match((await machine.cli('status')).stdout, 'Now       Installing updates (43 %)\n');
});
