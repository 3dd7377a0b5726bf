import { readdir, readlink } from 'node:fs/promises';
import t from 'tap';
import type { UpdateEvent } from '../../src/update/events.js';
import { newOnlineMachine, type OnlineMachine } from '../fixtures/online-machine.js';

interface Test {
  testdir(): string;
}

function newMachine(test: Test): OnlineMachine {
  return newOnlineMachine(test);
}

async function armed(test: Test, ...events: UpdateEvent[]): Promise<OnlineMachine & { id: string }> {
  const machine = newMachine(test);
  const { id } = (await machine.cli('prepare', '--json')).json() as { id: string };
  await machine.cli('trigger');
  const { journal } = await machine.ports.online.store.find(id);
  for (const event of events) await journal.append(event);
  return Object.assign(machine, { id });
}

async function namesIn(machine: OnlineMachine, folder: string): Promise<string[]> {
  return (await readdir(machine.path(folder))).sort();
}

const claimed: UpdateEvent = { event: 'claimed', attempt: 1 };
const installing: UpdateEvent = { event: 'installing', attempt: 1, fallback: null };
const installed: UpdateEvent = { event: 'installed', attempt: 1 };
const blocked: UpdateEvent = {
  event: 'blocked',
  reason: { code: 'ATTEMPTS_USED_UP', message: 'three attempts' },
};

void t.test('cancel takes the trigger and all that goes with it away, and keeps the download', async (t) => {
  const machine = await armed(t);
  const { exitCode, stdout } = await machine.cli('cancel');
  t.equal(exitCode, 0);
  t.equal(
    stdout,
    `Update ${machine.id} is no longer armed: the next boot is an ordinary one. The download is kept.\nNext: offline-update trigger\n`,
  );
  t.strictSame(await namesIn(machine, '/'), ['etc', 'run', 'usr', 'var']);
  t.strictSame(await namesIn(machine, '/var/lib/offline-update'), ['updates']);
  t.strictSame(await namesIn(machine, '/var/lib'), ['offline-update', 'system-update']);
  t.match((await machine.cli('status', '--json')).json(), {
    state: 'prepared',
    stage: { intact: true },
    contradictions: [],
    next: 'offline-update trigger',
  });
  t.equal((await machine.cli('trigger')).exitCode, 0, 'it can be armed again');
});

void t.test('with nothing armed there is nothing to cancel', async (t) => {
  const machine = newMachine(t);
  const called = await machine.cli('cancel');
  t.equal(called.exitCode, 4);
  t.equal(
    called.stderr,
    'offline-update: nothing was cancelled\n  why: no update is armed\n  next: offline-update status\n',
  );
  await machine.cli('prepare');
  t.equal((await machine.cli('cancel')).exitCode, 4);
});

void t.test('cancel leaves what is not ours alone', async (t) => {
  const machine = newMachine(t);
  machine.link('/var/cache/PackageKit/prepared-update', '/system-update');
  const called = await machine.cli('cancel', '--json');
  t.equal(called.exitCode, 7);
  t.match(called.json(), {
    error: { code: 'FOREIGN_TRIGGER', message: /PackageKit is armed; it was left alone$/ },
  });
  t.equal(await readlink(machine.path('/system-update')), '/var/cache/PackageKit/prepared-update');
});

void t.test(
  'a link of ours without an update, and a claimed one of a shell that never got to Node, are removed',
  async (t) => {
    const lonely = newMachine(t);
    lonely.link('/var/lib/system-update', '/etc/system-update');
    t.equal((await lonely.cli('cancel')).exitCode, 0);
    t.strictSame(await namesIn(lonely, '/etc'), ['machine-id', 'offline-update']);

    const claimedOnly = await armed(t);
    await claimedOnly.ports.online.fs.rename(
      claimedOnly.path('/system-update'),
      claimedOnly.path('/system-update.claimed'),
    );
    claimedOnly.write('/var/lib/offline-update/claims', 'boot-0\nboot-of-the-update\n');
    t.match((await claimedOnly.cli('cancel', '--json')).json(), {
      id: claimedOnly.id,
      removed: [claimedOnly.path('/system-update.claimed')],
    });
  },
);

void t.test('an attempt is not disturbed: neither by cancel nor by clean', async (t) => {
  const rows: [events: UpdateEvent[], bootId: string, exitCode: number, code: string, hint: string][] = [
    [[claimed], 'boot-1', 6, 'BUSY', 'offline-update status'],
    [[claimed, installing], 'boot-1', 6, 'BUSY', 'offline-update status'],
    [[claimed], 'boot-2', 5, 'WRONG_STATE', 'systemctl reboot'],
    [[claimed, installing], 'boot-2', 5, 'WRONG_STATE', 'systemctl reboot'],
    [
      [claimed, installing, installed],
      'boot-2',
      5,
      'WRONG_STATE',
      'systemctl start offline-update-confirm.service',
    ],
  ];
  for (const [events, bootId, exitCode, code, hint] of rows) {
    const machine = await armed(t, ...events);
    machine.moment.bootId = bootId;
    for (const verb of ['cancel', 'clean']) {
      const called = await machine.cli(verb, '--json');
      t.match(called.json(), { error: { code, hint } });
      t.equal(called.exitCode, exitCode);
    }
    t.strictSame(await namesIn(machine, '/var/lib'), ['offline-update', 'system-update']);
  }

  // A soft-reboot keeps the boot id; what tells the update boot is the mark that goes when it is left.
  const afterSoftReboot = await armed(t, claimed, installing, installed);
  t.match((await afterSoftReboot.cli('cancel', '--json')).json(), {
    error: { code: 'WRONG_STATE', hint: 'systemctl start offline-update-confirm.service' },
  });
  afterSoftReboot.write('/run/offline-update/update-boot', '');
  t.match((await afterSoftReboot.cli('cancel', '--json')).json(), { error: { code: 'BUSY' } });

  const inTheShell = await armed(t);
  inTheShell.write('/var/lib/offline-update/claims', 'boot-1\n');
  t.match((await inTheShell.cli('cancel', '--json')).json(), { error: { code: 'BUSY' } });
});

void t.test(
  'clean drops the stage, the trigger and the download, and what never was armed from the history',
  async (t) => {
    const machine = newMachine(t);
    await machine.cli('prepare');
    machine.write('/var/lib/system-update.next/packages/half', 'x');
    machine.write('/var/lib/system-update.former/plan.json', '{}');
    const { exitCode, stdout } = await machine.cli('clean');
    t.equal(exitCode, 0);
    t.equal(stdout, 'No update is prepared. Next: offline-update prepare\n');
    t.strictSame(await namesIn(machine, '/var/lib'), ['offline-update']);
    t.strictSame(await namesIn(machine, '/var/lib/offline-update/updates'), []);

    const disarmed = await armed(t);
    const called = await disarmed.cli('clean');
    t.equal(
      called.stdout,
      `Disarmed: ${disarmed.path('/system-update')} removed.\nNo update is prepared. Next: offline-update prepare\n`,
    );
    t.strictSame(await disarmed.ports.online.store.ids(), [disarmed.id], 'it was armed: that is history');
  },
);

void t.test('clean unblocks', async (t) => {
  const machine = await armed(t, claimed, blocked);
  await machine.ports.online.store.unmarkOpen();
  t.equal((await machine.cli('prepare')).exitCode, 5);
  t.match((await machine.cli('status', '--json')).json(), { state: 'blocked', next: 'offline-update clean' });
  t.strictSame((await machine.cli('clean', '--json')).json(), {
    id: machine.id,
    removed: [machine.path('/system-update')],
    unblocked: true,
    unscheduled: false,
    rebootCancelled: false,
  });
  t.equal((await machine.cli('prepare')).exitCode, 0);
});

void t.test('clean is the way out of a journal that cannot be read', async (t) => {
  const machine = await armed(t);
  const { journal } = (await machine.ports.online.store.find(machine.id)).paths;
  const text = await machine.ports.online.fs.readFile(journal);
  machine.write(journal.slice(machine.root.length), text.replace('"armed"', '"ARMED"'));
  const status = await machine.cli('status', '--json');
  t.match(status.json(), {
    state: 'none',
    reason: { code: 'JOURNAL_CORRUPT', message: `${journal} is damaged at row 2` },
    next: 'offline-update clean',
  });
  t.equal((await machine.cli('prepare')).exitCode, 1);
  t.equal((await machine.cli('clean')).exitCode, 0);
  t.strictSame(await namesIn(machine, '/'), ['etc', 'run', 'usr', 'var']);
  t.equal((await machine.cli('prepare')).exitCode, 0);
});

void t.test(
  'a swap of stages that was cut between its two renames is put right by the next verb',
  async (t) => {
    const machine = newMachine(t);
    const { id } = (await machine.cli('prepare', '--json')).json();
    const { fs, paths } = machine.ports.online;
    await fs.rename(paths.stage, paths.formerStage);
    await machine.cli('cancel');
    t.match((await machine.cli('status', '--json', '--verify')).json(), { id, stage: { intact: true } });
    machine.write('/var/lib/system-update.former/plan.json', 'of an older one');
    await machine.cli('cancel');
    t.strictSame(await namesIn(machine, '/var/lib'), ['offline-update', 'system-update']);
    t.match((await machine.cli('status', '--json', '--verify')).json(), { id, stage: { intact: true } });
  },
);
