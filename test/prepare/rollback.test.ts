import t, { type Test } from 'tap';
import { exists } from '../../src/host/exists.js';
import { packagesChanged } from '../../src/prepare/packages-changed.js';
import type { JournalEntry } from '../../src/update/events.js';
import { markText } from '../../src/update/fallback-mark.js';
import { fakeSnapshots, type FakeSnapshots } from '../fixtures/fake-snapshots.js';
import { newOnlineMachine, type OnlineMachine } from '../fixtures/online-machine.js';

interface Fixture {
  machine: OnlineMachine;
  snapshots: FakeSnapshots;
  id: string;
}

/** One confirmed update, and the fallback from before it. */
async function updated(test: Test): Promise<Fixture> {
  const machine = newOnlineMachine(test);
  const { id } = (await machine.cli('prepare', '--json')).json() as { id: string };
  await machine.cli('trigger');
  const { store } = machine.ports.online;
  const { journal } = await store.find(id);
  await journal.append({ event: 'claimed', attempt: 1 });
  await journal.append({ event: 'installing', attempt: 1, fallback: { provider: 'fake', reference: id } });
  await journal.append({ event: 'installed', attempt: 1 });
  await journal.append({ event: 'confirmed' });
  await store.unmarkOpen();
  await machine.ports.online.files.remove(machine.paths.triggers[0]);
  await machine.ports.online.files.removeTree(machine.paths.stage);
  const snapshots = fakeSnapshots({ id, holds: [] });
  machine.ports.snapshots = () => Promise.resolve(snapshots);
  return { machine, snapshots, id };
}

void t.test('rollback tells what goes back, and asks', async (t) => {
  const { machine, snapshots, id } = await updated(t);
  const questions: string[] = [];
  machine.ports.ask = (question) => {
    questions.push(question);
    return Promise.resolve('n');
  };
  const { exitCode, stdout } = await machine.cli('rollback');
  t.equal(exitCode, 4);
  t.equal(
    stdout.replace(/15:00:\d\d/, '15:00:NN'),
    `Fallback ${id}: the root from before this update, set aside 2026-11-20 15:00:NN UTC, 0 minutes ago.

Goes back:
  ${id}  2 packages upgraded

As of that time: all that is fake goes back.
Nothing was changed.
`,
  );
  t.strictSame(questions, ['\nGo there with the next boot? [y/N] ']);
  t.strictSame(snapshots.asked, []);
  machine.ports.ask = () => Promise.resolve('y');
  const agreed = await machine.cli('rollback', id);
  t.equal(agreed.exitCode, 0);
  t.match(agreed.stdout, `The root from before ${id} boots next.\nNext: systemctl reboot\n`);
  t.strictSame(snapshots.asked, [`revert ${id} ${id} and keep this`]);
});

void t.test('with --yes nobody is asked, with --now the machine reboots', async (t) => {
  const { machine, id } = await updated(t);
  t.match((await machine.cli('rollback', '--yes', '--now', '--json')).json(), {
    to: { id, before: 'update', goesBack: [id], comesBack: [], sizeBytes: null },
    keepsPresent: false,
    rebootAskedBy: 'the fake',
  });
  t.equal(machine.reboots, 1);
});

void t.test('without a terminal and without --yes nothing is done', async (t) => {
  const { machine, snapshots, id } = await updated(t);
  for (const [words, next] of [
    [[], `offline-update rollback ${id} --yes`],
    [[id, '--now'], `offline-update rollback ${id} --yes --now`],
  ] as const) {
    const { exitCode, stderr } = await machine.cli('rollback', ...words);
    t.equal(exitCode, 2);
    t.match(stderr, `there is no terminal to ask on\n  next: ${next}\n`, 'there, not to whatever is newest');
  }
  t.strictSame(snapshots.asked, []);
});

void t.test('an id that is no fallback, and a machine that keeps none', async (t) => {
  const { machine, snapshots, id } = await updated(t);
  t.match((await machine.cli('rollback', '--yes', '--json', 'x')).json(), {
    error: { code: 'UNKNOWN_UPDATE', message: `there is no fallback x; kept: ${id}` },
  });
  snapshots.kept = [];
  const none = await machine.cli('rollback', '--yes');
  t.equal(none.exitCode, 4);
  t.match(none.stderr, 'no fallback is kept: the next update leaves one');
});

void t.test('busy: an update is armed or under way, or another root boots next', async (t) => {
  const { machine, snapshots } = await updated(t);
  const busy = async (hint: string): Promise<void> => {
    for (const words of [
      ['rollback', '--yes'],
      ['doctor', '--drill'],
    ]) {
      const { exitCode, stderr } = await machine.cli(...words);
      t.equal(exitCode, 6);
      t.match(stderr, `next: ${hint}`);
    }
  };
  const { files } = machine.ports.online;
  const mark = { id: '20261120T160000-0000', provider: 'fake', failedRoot: '@' };
  machine.write('/var/lib/offline-update/fallback.json', markText({ ...mark, role: 'kept' }));
  await busy('systemctl reboot');
  machine.write('/var/lib/offline-update/fallback.json', markText(mark));
  await busy('systemctl start offline-update-recover.service');
  await files.remove(machine.paths.fallbackMark);

  await machine.cli('prepare');
  t.equal((await machine.cli('doctor', '--drill')).exitCode, 0, 'what is only prepared is in nobody’s way');
  await machine.cli('trigger');
  await busy('offline-update cancel');
  const armed = await machine.ports.online.store.current();
  await armed?.journal.append({ event: 'claimed', attempt: 1 });
  await busy('offline-update status');
  t.strictSame(
    snapshots.asked.filter((line) => line.startsWith('revert')),
    [],
  );
});

void t.test(
  'a rollback to a copy is ahead: told, nothing is armed over it, and cancel takes it back',
  async (t) => {
    const { machine } = await updated(t);
    const { fs, files, paths } = machine.ports.online;
    await machine.cli('prepare');
    const id = '20261120T160000-0000';
    machine.write(`/var/lib/offline-update/fallbacks/${id}/committed`, '');
    await files.link(id, paths.copyArmed);
    machine.link('/var/lib/system-update', '/system-update.claimed');
    const means =
      'the next boot puts back a copy, by a rollback, unless packages are changed before: offline-update cancel takes it back';
    const told = (await machine.cli('status', '--json')).json();
    t.match(told, { otherRootNext: true, contradictions: [means], next: 'systemctl reboot' });
    t.match((await machine.cli('status')).stdout, /system-update\.claimed \(ours: the next boot goes back\)/);
    const again = await machine.cli('rollback', '--yes');
    t.match([again.exitCode, again.stderr], [6, /the next boot goes back already[^]*next: systemctl reboot/]);
    const refused = await machine.cli('trigger');
    t.match(
      [refused.exitCode, refused.stderr],
      [5, /the next boot goes back: what is prepared[^]*systemctl reboot/],
    );
    machine.ports.isRoot = false;
    t.match((await machine.cliAsUser('status', '--json')).json(), { otherRootNext: true });
    machine.ports.isRoot = true;
    const { stdout } = await machine.cli('cancel');
    t.equal(
      stdout,
      'The rollback is taken back: the next boot is an ordinary one.\nNext: offline-update status\n',
    );
    t.notOk(await exists(fs, paths.copyArmed), 'and the copy is one that is kept, as before');
    t.match((await machine.cli('status', '--json')).json(), { otherRootNext: false, contradictions: [] });
    t.equal((await machine.cli('trigger')).exitCode, 0);
  },
);

void t.test(
  'cancel tells of both: the rollback to a copy, and the update that has a time beside it',
  async (t) => {
    const { machine } = await updated(t);
    const { id } = (await machine.cli('prepare', '--json')).json() as { id: string };
    t.equal((await machine.cli('trigger', '--at', '2026-11-21T03:00:00.000Z')).exitCode, 0);
    const { fs, files, paths } = machine.ports.online;
    machine.write('/var/lib/offline-update/fallbacks/20261120T160000-0000/committed', '');
    await files.link('20261120T160000-0000', paths.copyArmed);
    machine.link('/var/lib/system-update', '/system-update.claimed');
    t.equal(
      (await machine.cli('cancel')).stdout,
      `The rollback is taken back: the next boot is an ordinary one.
Update ${id} is no longer scheduled: the next boot is an ordinary one. The download is kept.
Next: offline-update status
`,
    );
    t.notOk(await exists(fs, paths.copyArmed));
  },
);

void t.test(
  'without its claimed link an armed copy is no rollback, and goes with the next cancel',
  async (t) => {
    const { machine } = await updated(t);
    await machine.cli('prepare');
    await machine.cli('trigger');
    const { fs, files, paths } = machine.ports.online;
    await files.makeFolder(paths.fallbacks, 0o700);
    await files.link('20261120T160000-0000', paths.copyArmed);
    t.match((await machine.cli('cancel', '--json')).json(), { rollback: false });
    t.notOk(await exists(fs, paths.copyArmed));
  },
);

void t.test(
  'what was in /boot is kept for the root that a rollback has left, whatever is cancelled, cleaned or out of date',
  async (t) => {
    const { machine } = await updated(t);
    const { fs, files, paths } = machine.ports.online;
    const id = '20261120T160000-0000';
    const mark = { id, provider: 'fake', failedRoot: '@', role: 'kept' } as const;
    await machine.cli('prepare');
    t.equal((await machine.cli('trigger', '--at', '2026-11-21T03:00:00.000Z')).exitCode, 0);
    machine.write('/var/lib/offline-update/fallback.json', markText(mark));
    machine.write(`/var/lib/offline-update/fallbacks/${id}/restore`, '');
    await files.link(id, paths.copyArmed);
    for (const verb of ['cancel', 'clean']) {
      t.equal((await machine.cli(verb)).exitCode, 0, verb);
      t.ok(await exists(fs, paths.copyArmed), verb);
    }
    await machine.cli('prepare');
    const hasDrifted = (): Promise<boolean> => Promise.resolve(true);
    t.match(await packagesChanged(machine.ports.online, await machine.ports.scheduler(), hasDrifted, 0), {
      reason: { code: 'DRIFT' },
    });
    t.ok(await exists(fs, paths.copyArmed), 'packages were changed beside what is prepared');
  },
);

void t.test('a copy that is half put back is not taken out of use by any verb', async (t) => {
  for (const files of [['committed', 'begun'], ['restore']]) {
    const { machine } = await updated(t);
    const { fs, files: durable, paths } = machine.ports.online;
    const id = '20261120T160000-0000';
    for (const name of files) machine.write(`/var/lib/offline-update/fallbacks/${id}/${name}`, '');
    await durable.link(id, paths.copyArmed);
    machine.link('/var/lib/system-update', '/system-update.claimed');
    t.match((await machine.cli('status', '--json')).json(), {
      otherRootNext: true,
      contradictions: ['the next boot goes on to put back a copy: until then the system may be half of each'],
      next: 'systemctl reboot',
    });
    for (const verb of ['cancel', 'clean', 'prepare']) {
      const { stderr } = await machine.cli(verb);
      t.match(
        stderr,
        /a copy is half put back; the next boot goes on with it\n {2}next: systemctl reboot\n$/,
      );
    }
    t.ok(await exists(fs, machine.path('/system-update.claimed')));
    t.ok(await exists(fs, paths.copyArmed));
  }
});

void t.test('the way back of an update that is open is none by hand', async (t) => {
  const { machine } = await updated(t);
  await machine.cli('prepare');
  await machine.cli('trigger');
  const { store, files, paths } = machine.ports.online;
  const update = await store.current();
  await update?.journal.append({ event: 'claimed', attempt: 1 });
  await update?.journal.append({
    event: 'installing',
    attempt: 1,
    fallback: { provider: 'copy', reference: 'x' },
  });
  await files.rename(machine.path('/system-update'), machine.path('/system-update.claimed'));
  await files.makeFolder(paths.fallbacks, 0o700);
  await files.link(update?.id ?? '', paths.copyArmed);
  t.match((await machine.cli('status', '--json')).json(), { otherRootNext: false, contradictions: [] });
});

const reason = { code: 'HEALTH_FAILED', message: 'no database' } as const;

/** Armed and installed, with a copy as its way back, which the next boot puts back. */
async function givesItselfUp(t: Test, ...entries: JournalEntry[]): Promise<OnlineMachine> {
  const { machine } = await updated(t);
  const { store, files, paths } = machine.ports.online;
  await machine.cli('prepare');
  await machine.cli('trigger');
  const update = await store.current();
  const fallback = { provider: 'copy', reference: update?.id ?? '' };
  await update?.journal.append({ event: 'claimed', attempt: 1 });
  await update?.journal.append({ event: 'installing', attempt: 1, fallback });
  for (const entry of entries) await update?.journal.append(entry);
  await files.rename(machine.path('/system-update'), machine.path('/system-update.claimed'));
  machine.write(`/var/lib/offline-update/fallbacks/${fallback.reference}/restore`, '');
  await files.link(fallback.reference, paths.copyArmed);
  machine.moment.bootId = 'boot-2';
  return machine;
}

void t.test(
  'given up, and the power went before it was closed: its copy is told and kept all the same',
  async (t) => {
    const machine = await givesItselfUp(t, { event: 'reverted', reason });
    t.match((await machine.cli('status', '--json')).json(), { state: 'reverted', otherRootNext: true });
    for (const verb of ['cancel', 'clean', 'prepare'])
      t.match((await machine.cli(verb)).stderr, /a copy is half put back[^]*next: systemctl reboot\n$/);
    t.ok(await exists(machine.ports.online.fs, machine.path('/system-update.claimed')));
  },
);

void t.test(
  'not healthy after the update, and its copy is ahead: told, and no verb points to the confirmation',
  async (t) => {
    const decided = { note: 'reverting', step: 'decided', reason } as const;
    const machine = await givesItselfUp(t, { event: 'installed', attempt: 1 }, decided);
    const copy = `/var/lib/offline-update/fallbacks/${await machine.ports.online.fs.readLink(machine.paths.copyArmed)}`;
    machine.write(`${copy}/committed`, '');
    t.match((await machine.cli('status', '--json')).json(), {
      state: 'installed',
      contradictions: ['the next boot puts back a copy, since the machine is not healthy after the update'],
      next: 'systemctl reboot',
    });
    for (const verb of ['cancel', 'clean', 'prepare', 'trigger'])
      t.match(
        (await machine.cli(verb)).stderr,
        /not healthy after update \S+; the next boot puts back what it replaced\n {2}next: systemctl reboot\n$/,
      );
  },
);

void t.test('history measures the fallbacks, status names them; others than root see none', async (t) => {
  const { machine, id } = await updated(t);
  t.match(
    (await machine.cli('history')).stdout,
    `Kept fallbacks, for offline-update rollback ID:\n${id}  from before this update, 0 minutes old, 12.3 MB of its own\n`,
  );
  t.match((await machine.cli('status', '--json')).json(), { fallbacks: [{ id, sizeBytes: null }] });
  t.match(
    (await machine.cli('status')).stdout,
    `Kept      ${id}  from before this update, set aside 2026-11-20`,
  );
  machine.ports.isRoot = false;
  t.match((await machine.cliAsUser('history', '--json')).json(), { fallbacks: null });
  t.match((await machine.cliAsUser('status', '--json')).json(), { fallbacks: null });
});

void t.test('an update that was rolled back is no longer the one that is told as installed', async (t) => {
  const { machine, id } = await updated(t);
  t.match((await machine.cli('status', '--json')).json(), { state: 'confirmed', id });
  const { journal } = await machine.ports.online.store.find(id);
  await journal.append({ note: 'rolled-back', rollback: '20261120T170000-0000' });
  t.match((await machine.cli('status')).stdout, /^State {5}no update is prepared\n/);
  t.match(
    (await machine.cli('status')).stdout,
    `Last      ${id}: confirmed, rolled back by 20261120T170000-0000`,
  );
  t.match((await machine.cli('history')).stdout, '\n  rolled back by 20261120T170000-0000\n');
  t.match((await machine.cli('report')).stdout, /rolled back \(20261120T170000-0000\): the root from before/);
});

void t.test('the drill tells its steps and how long they took', async (t) => {
  const { machine, snapshots } = await updated(t);
  t.match((await machine.cli('doctor', '--drill')).stdout, 'Drill: arm     0.012 s\n');
  t.match((await machine.cli('doctor', '--drill', '--json')).json(), {
    drill: [{ step: 'arm', seconds: 0.0123 }],
  });
  delete snapshots.drill;
  const { exitCode, stderr } = await machine.cli('doctor', '--drill');
  t.equal(exitCode, 5);
  t.match(stderr, 'there is nothing to rehearse: a fallback by fake cannot be rehearsed');
});
