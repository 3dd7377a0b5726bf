import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { readlink, rm } from 'node:fs/promises';
import t from 'tap';
import { attendedLines } from '../../../src/cli/pages/scheduled-lines.js';
import { HostError } from '../../../src/host/host-error.js';
import { takeLock } from '../../../src/host/lock.js';
import { noticeIds } from '../../../src/update/message-ids.js';
import { fakeScheduler } from '../../fixtures/fake-scheduler.js';
import { newOnlineMachine, type OnlineMachine } from '../../fixtures/online-machine.js';

interface Test {
  testdir(): string;
}

type Prepared = OnlineMachine & { id: string; clock: (time: string) => void };

/** Prepared at 15:00 UTC; the clock of this machine stands until it is set. */
async function prepared(test: Test, config = ''): Promise<Prepared> {
  const machine = newOnlineMachine(test);
  machine.write('/etc/offline-update/config.d/50-test.toml', config);
  const { id } = (await machine.cli('prepare', '--json')).json();
  const clock = (time: string) => {
    machine.moment.now = () => new Date(time);
  };
  clock('2026-11-20T15:00:00.000Z');
  return Object.assign(machine, { id: id as string, clock });
}

const night = '2026-11-21T03:00:00.000Z';
const windows = '[[windows]]\nfrom = "02:00"\nto = "04:00"\ntimezone = "UTC"\n';
const isArmed = (machine: Prepared) =>
  readlink(machine.path('/system-update')).then(
    () => true,
    () => false,
  );
const service = (machine: Prepared) => machine.cli('trigger', '--scheduled', '--json');

/** Its time is five minutes away: the reboot into it is announced. */
async function announced(test: Test): Promise<Prepared> {
  const machine = await prepared(test);
  await machine.cli('trigger', '--at', night);
  machine.clock('2026-11-21T02:55:00.000Z');
  await service(machine);
  return machine;
}
const status = async (machine: Prepared) => (await machine.cli('status', '--json')).json();
const told = (machine: Prepared) => machine.scheduler.told.map(({ messageId }) => messageId);

void t.test(
  'a time is set, nothing is armed before it, and then the machine reboots with notice',
  async (t) => {
    const machine = await prepared(t);
    const asked = await machine.cli('trigger', '--at', night, '--action', 'poweroff', '--json');
    t.equal(asked.exitCode, 0, asked.stderr);
    t.match(asked.json(), {
      state: 'scheduled',
      id: machine.id,
      at: night,
      until: '2026-11-21T04:00:00.000Z',
      attended: { outcome: 'waiting', at: '2026-11-21T02:55:00.000Z', reason: null },
    });
    t.notOk(await isArmed(machine));
    t.strictSame(machine.scheduler.wake, new Date('2026-11-21T02:55:00Z'));
    t.match(await status(machine), {
      state: 'prepared',
      scheduled: { at: night, until: '2026-11-21T04:00:00.000Z', whenIdle: false, action: 'poweroff' },
      next: null,
    });

    t.match((await service(machine)).json(), { outcome: 'waiting' }, 'a boot before it only waits on');
    t.notOk(await isArmed(machine));

    machine.clock('2026-11-21T02:55:00.000Z');
    const then = await service(machine);
    t.equal(then.exitCode, 0, then.stderr);
    t.match(then.json(), { outcome: 'leaving', id: machine.id, at: night, action: 'poweroff' });
    t.ok(await isArmed(machine));
    t.strictSame(machine.scheduler.pending, { type: 'reboot', at: new Date(night) });
    t.equal(
      machine.scheduler.wall,
      'This machine installs a system update. To prevent that: offline-update cancel',
    );
    t.match(await status(machine), {
      state: 'armed',
      wayIn: 'reboot',
      scheduled: null,
      reboot: { type: 'reboot', at: night },
    });
    t.match((await machine.cli('status')).stdout, /When +the machine will reboot into it at \w+ 2026-11-21/);
    t.equal(existsSync(machine.paths.scheduled), false, 'the time has no meaning any more');
    t.strictSame(told(machine), [noticeIds.scheduled]);
  },
);

void t.test(
  "cancel takes back the time, the armed update and the reboot, and nobody else's reboot",
  async (t) => {
    const machine = await prepared(t);
    await machine.cli('trigger', '--at', night);
    t.match((await machine.cli('cancel', '--json')).json(), {
      id: machine.id,
      removed: [],
      unscheduled: true,
      rebootCancelled: false,
    });
    t.equal(machine.scheduler.wake, undefined);
    t.match(await status(machine), { state: 'prepared', scheduled: null, next: 'offline-update trigger' });

    await machine.cli('trigger', '--at', night);
    machine.clock('2026-11-21T02:56:00.000Z');
    await service(machine);
    const { stdout } = await machine.cli('cancel');
    t.match(stdout, /no longer armed.*\nThe reboot that was announced for it is cancelled\.\n/);
    t.equal(machine.scheduler.pending, undefined);
    t.notOk(await isArmed(machine));

    await machine.cli('trigger', '--at', night);
    await service(machine);
    const theirs = { type: 'poweroff', at: new Date(night) };
    machine.scheduler.pending = theirs;
    t.match((await machine.cli('cancel', '--json')).json(), { rebootCancelled: false });
    t.equal(machine.scheduler.pending, theirs, 'somebody has set another one in the meantime');
    t.equal((await machine.cli('cancel')).exitCode, 4);
  },
);

void t.test('a time for what is armed already is not answered with a reboot at once', async (t) => {
  const machine = await prepared(t);
  await machine.cli('trigger', '--action', 'reboot');
  for (const words of [['--at', night], ['--when-idle']]) {
    t.match((await machine.cli('trigger', '--json', ...words)).json(), {
      error: {
        code: 'ARMED',
        message:
          `update ${machine.id} is armed already, to end in reboot; the next boot installs it, whenever that is; ` +
          'cancel it first to have it at a time',
        hint: 'offline-update cancel',
      },
    });
  }
  await machine.cli('cancel');
  t.match((await machine.cli('trigger', '--at', night, '--json')).json(), { state: 'scheduled' });
});

void t.test('whoever takes the reboot back takes back the update', async (t) => {
  const machine = await announced(t);
  machine.clock('2026-11-21T03:01:00.000Z');
  machine.scheduler.pending = undefined;
  const called = await service(machine);
  t.equal(called.exitCode, 5);
  t.match(called.json(), { outcome: 'given-up', reason: { code: 'REBOOT_WITHDRAWN' } });
  t.notOk(await isArmed(machine));
  t.match(await status(machine), {
    state: 'prepared',
    putOff: { reason: { code: 'REBOOT_WITHDRAWN' }, next: null },
    next: 'offline-update doctor',
  });
  t.match(machine.scheduler.told.at(-1), {
    messageId: noticeIds['not-armed'],
    priority: 'warning',
    fields: { OFFLINE_UPDATE_ID: machine.id, OFFLINE_UPDATE_REASON: 'REBOOT_WITHDRAWN' },
  });
  t.match((await machine.cli('status')).stdout, /Put off +somebody took back the reboot/);
});

void t.test(
  'a service that dies right after it armed the update leaves it to the next look, which disarms it',
  async (t) => {
    const machine = await prepared(t);
    await machine.cli('trigger', '--at', night);
    machine.clock('2026-11-21T02:55:00.000Z');
    let hasDied: () => void = () => undefined;
    const died = new Promise<void>((resolve) => (hasDied = resolve));
    machine.scheduler.scheduleReboot = () => {
      hasDied();
      return new Promise(() => undefined);
    };
    machine.ports.online.takeLock = () => Promise.resolve({ release: () => undefined });
    void service(machine);
    await died;
    t.ok(await isArmed(machine));
    t.strictSame(machine.scheduler.wake, new Date('2026-11-21T02:59:45Z'));
    machine.clock('2026-11-21T02:59:45.000Z');
    t.match((await service(machine)).json(), { outcome: 'given-up', reason: { code: 'REBOOT_WITHDRAWN' } });
    t.notOk(await isArmed(machine));
  },
);

void t.test('what may pass is waited for, said once, and given up when the time is over', async (t) => {
  const machine = await prepared(t);
  await machine.cli('trigger', '--at', night);
  machine.facts.shutdownInhibitors = () => Promise.resolve([{ who: 'backup', why: 'a tape is written' }]);
  machine.clock('2026-11-21T03:00:00.000Z');
  for (let look = 0; look < 3; look += 1) {
    const called = await service(machine);
    t.equal(called.exitCode, 0);
    t.match(called.json(), {
      outcome: 'waiting',
      at: '2026-11-21T03:02:00.000Z',
      reason: { code: 'NOT_NOW' },
    });
  }
  t.strictSame(told(machine), [noticeIds.scheduled, noticeIds['put-off']]);
  t.match(await status(machine), {
    scheduled: { at: night },
    putOff: { reason: { message: 'backup forbids a shutdown now: a tape is written' } },
  });
  machine.clock('2026-11-21T03:59:00.000Z');
  t.equal((await service(machine)).exitCode, 5);
  t.match(await status(machine), { scheduled: null, putOff: { next: null } });

  await machine.cli('trigger', '--at', '2026-11-22T03:00:00Z');
  machine.clock('2026-11-22T03:05:00.000Z');
  machine.facts.shutdownInhibitors = () => Promise.resolve([]);
  t.match(
    (await service(machine)).json(),
    { outcome: 'leaving', at: '2026-11-22T03:05:00.000Z' },
    'it passed',
  );
});

void t.test(
  'a lock while the notice runs, before the window opens, is looked at again in that window',
  async (t) => {
    const machine = await prepared(t, windows);
    await machine.cli('trigger');
    machine.facts.shutdownInhibitors = () => Promise.resolve([{ who: 'backup', why: 'tape' }]);
    machine.clock('2026-11-21T01:55:00.000Z');
    t.match((await service(machine)).json(), { outcome: 'waiting', at: '2026-11-21T01:57:00.000Z' });
    machine.facts.shutdownInhibitors = () => Promise.resolve([]);
    machine.clock('2026-11-21T01:57:00.000Z');
    t.match((await service(machine)).json(), { outcome: 'leaving', at: '2026-11-21T02:00:00.000Z' });
  },
);

void t.test('invariant 10: a dpkg at work is waited for', async (t) => {
  const machine = await prepared(t);
  await machine.cli('trigger', '--at', night);
  const holder = { pid: 42, command: 'dpkg', lock: '/var/lib/dpkg/lock' };
  machine.facts.packageLockHolder = () => Promise.resolve(holder);
  machine.clock(night);
  t.match((await service(machine)).json(), {
    outcome: 'waiting',
    at: '2026-11-21T03:02:00.000Z',
    reason: { code: 'NOT_NOW', message: /^dpkg \(process 42\) holds/ },
  });
  t.notOk(await isArmed(machine));
  machine.facts.packageLockHolder = () => Promise.resolve(undefined);
  t.match((await service(machine)).json(), { outcome: 'leaving' });
});

void t.test(
  'invariant 10: what begins while the notice runs takes back the announced reboot, and it is put off',
  async (t) => {
    for (const [begin, message] of [
      [
        (machine: Prepared) => {
          const holder = { pid: 42, command: 'dpkg', lock: '/var/lib/dpkg/lock' };
          machine.facts.packageLockHolder = () => Promise.resolve(holder);
        },
        /^dpkg \(process 42\) holds/,
      ],
      [
        (machine: Prepared) => {
          machine.facts.shutdownInhibitors = () => Promise.resolve([{ who: 'backup', why: 'tape' }]);
        },
        /^backup forbids a shutdown now: tape$/,
      ],
    ] as const) {
      const machine = await prepared(t);
      await machine.cli('trigger', '--at', night, '--action', 'poweroff');
      machine.clock('2026-11-21T02:55:00.000Z');
      await service(machine);
      t.strictSame(machine.scheduler.wake, new Date('2026-11-21T02:59:45Z'), 'right before it');
      begin(machine);
      machine.clock('2026-11-21T02:59:46.000Z');
      t.match((await service(machine)).json(), {
        outcome: 'waiting',
        at: '2026-11-21T03:01:46.000Z',
        reason: { code: 'NOT_NOW', message },
      });
      t.equal(machine.scheduler.pending, undefined);
      t.notOk(await isArmed(machine));
      t.notOk(existsSync(machine.paths.shutdown));
      t.strictSame(machine.scheduler.wake, new Date('2026-11-21T03:01:46Z'));
      t.match(await status(machine), {
        state: 'prepared',
        scheduled: { at: night, action: 'poweroff' },
        putOff: { reason: { message } },
      });
      machine.facts.packageLockHolder = () => Promise.resolve(undefined);
      machine.facts.shutdownInhibitors = () => Promise.resolve([]);
      machine.clock('2026-11-21T03:01:46.000Z');
      t.match((await service(machine)).json(), { outcome: 'leaving', action: 'poweroff' }, 'it passed');
    }
  },
);

void t.test('an announced reboot that nothing forbids at the last look is left to logind', async (t) => {
  const machine = await announced(t);
  machine.clock('2026-11-21T02:59:45.000Z');
  t.match((await service(machine)).json(), { outcome: 'leaving', at: night });
  t.strictSame(machine.scheduler.pending, { type: 'reboot', at: new Date(night) });
  t.strictSame(machine.scheduler.wake, new Date('2026-11-21T03:01:00Z'), 'a minute after it');
});

void t.test(
  'an inhibitor that comes at the last moment leaves nothing armed, and the time stays',
  async (t) => {
    const machine = await prepared(t);
    await machine.cli('trigger', '--at', night);
    machine.clock('2026-11-21T02:55:00.000Z');
    machine.scheduler.refuse = new HostError('POWER_INHIBITED', 'a tape is written');
    t.match((await service(machine)).json(), { outcome: 'waiting', reason: { code: 'NOT_NOW' } });
    t.notOk(await isArmed(machine));
    t.match(await status(machine), { state: 'prepared', scheduled: { at: night }, reboot: null });
    machine.scheduler.refuse = undefined;
    machine.clock('2026-11-21T02:57:00.000Z');
    t.match((await service(machine)).json(), { outcome: 'leaving', at: night });
  },
);

void t.test('without logind our service asks for the reboot itself', async (t) => {
  const machine = await prepared(t);
  await machine.cli('trigger', '--at', night);
  machine.clock('2026-11-21T02:55:00.000Z');
  machine.scheduler.refuse = new HostError('BUS_ABSENT', 'no bus');
  t.match((await service(machine)).json(), { outcome: 'leaving', at: night });
  t.match(machine.scheduler.wall, /^Reboot at \S+ 2026-11-2\d .* To prevent that: offline-update cancel$/);
  t.strictSame(machine.scheduler.wake, new Date(night));
  t.match(await status(machine), {
    action: 'soft-reboot',
    wayIn: 'reboot',
    reboot: { type: 'reboot', at: night },
  });
  machine.clock(night);
  t.match((await service(machine)).json(), { outcome: 'leaving' });
  t.strictSame(machine.scheduler.left, ['reboot']);
});

void t.test('a soft-reboot is never left to logind, whose next start would begin it again', async (t) => {
  const machine = await prepared(t);
  await machine.cli('trigger', '--at', night, '--action', 'soft-reboot');
  machine.clock('2026-11-21T02:55:00.000Z');
  t.match((await service(machine)).json(), { outcome: 'leaving', at: night });
  t.equal(machine.scheduler.pending, undefined);
  t.match(
    machine.scheduler.wall,
    /^Soft-reboot at \S+ 2026-11-2\d .* To prevent that: offline-update cancel$/,
  );
  t.strictSame(machine.scheduler.wake, new Date(night));
  t.match(await status(machine), { reboot: { type: 'soft-reboot', at: night } });
  machine.clock(night);
  t.match((await service(machine)).json(), { outcome: 'leaving' });
  t.strictSame(machine.scheduler.left, ['soft-reboot']);
});

void t.test(
  'a soft-reboot that did not lead into the update is not asked for again, and the update is disarmed',
  async (t) => {
    const machine = await prepared(t);
    await machine.cli('trigger', '--at', night, '--action', 'soft-reboot');
    machine.clock('2026-11-21T02:55:00.000Z');
    await service(machine);
    machine.clock(night);
    await service(machine);
    // /run is the old one, and the boot id is the same; the update boot could not claim the trigger.
    machine.clock('2026-11-21T03:00:10.000Z');
    t.match(await service(machine), { exitCode: 5, stdout: /"REBOOT_WITHDRAWN"/ });
    t.strictSame(machine.scheduler.left, ['soft-reboot'], 'once');
    t.notOk(await isArmed(machine));
    t.match(await status(machine), {
      state: 'prepared',
      putOff: { reason: { message: 'a soft-reboot into it was asked for, and the update did not begin' } },
    });
  },
);

void t.test(
  'a soft-reboot of ours that something forbids at its time is put off, as logind would refuse a full one',
  async (t) => {
    const holder = { pid: 42, command: 'dpkg', lock: '/var/lib/dpkg/lock' };
    const hindrances: [message: RegExp, begin: (machine: Prepared) => void][] = [
      [
        /^a tape is written$/,
        ({ scheduler }) => {
          scheduler.leave = () => Promise.reject(new HostError('POWER_INHIBITED', 'a tape is written'));
        },
      ],
      [
        /^dpkg \(process 42\) holds/,
        ({ facts }) => (facts.packageLockHolder = () => Promise.resolve(holder)),
      ],
    ];
    for (const [message, begin] of hindrances) {
      const machine = await prepared(t);
      const { left } = machine.scheduler;
      await machine.cli('trigger', '--at', night, '--action', 'soft-reboot');
      machine.clock('2026-11-21T02:55:00.000Z');
      await service(machine);
      begin(machine);
      machine.clock(night);
      t.match((await service(machine)).json(), {
        outcome: 'waiting',
        at: '2026-11-21T03:02:00.000Z',
        reason: { code: 'NOT_NOW', message },
      });
      t.strictSame(left, []);
      t.notOk(await isArmed(machine));
      t.match(await status(machine), {
        state: 'prepared',
        scheduled: { at: night, action: 'soft-reboot' },
        reboot: null,
        putOff: { reason: { message } },
      });
    }

    const machine = await prepared(t);
    await machine.cli('trigger', '--at', night, '--action', 'soft-reboot');
    machine.clock('2026-11-21T02:55:00.000Z');
    await service(machine);
    machine.scheduler.leave = () => Promise.reject(new HostError('POWER_REFUSED', 'nobody will'));
    machine.clock(night);
    t.match((await service(machine)).json(), { outcome: 'given-up' }, 'what nobody can do does not pass');
    t.notOk(await isArmed(machine));
  },
);

void t.test('what does not pass is given up and said: packages that changed meanwhile', async (t) => {
  const machine = await prepared(t);
  await machine.cli('trigger', '--at', night);
  machine.payload.fingerprint = 'f'.repeat(64);
  machine.clock('2026-11-21T02:55:00.000Z');
  const called = await service(machine);
  t.equal(called.exitCode, 5);
  t.match(called.json(), { outcome: 'given-up', reason: { code: 'DRIFT' } });
  t.match(await status(machine), { state: 'stale', scheduled: null });
  t.equal(told(machine).at(-1), noticeIds['not-armed']);
});

void t.test(
  'packages that another run changed take the time and the announced reboot with them',
  async (t) => {
    const machine = await announced(t);
    machine.payload.fingerprint = 'f'.repeat(64);
    t.equal((await machine.cli('stale')).exitCode, 0);
    t.match(await status(machine), { state: 'stale', scheduled: null, reboot: null });
    t.equal(machine.scheduler.pending, undefined);
    t.notOk(await isArmed(machine));
  },
);

void t.test('a machine that was off at the time does not reboot in the morning', async (t) => {
  const machine = await prepared(t);
  await machine.cli('trigger', '--at', night);
  machine.clock('2026-11-21T08:00:00.000Z');
  t.match((await service(machine)).json(), { outcome: 'given-up', reason: { code: 'SCHEDULE_MISSED' } });
  t.notOk(await isArmed(machine));
  t.match((await service(machine)).json(), { outcome: 'nothing' });
});

void t.test('those who are logged in have their notice, however late it is', async (t) => {
  const machine = await prepared(t, 'noticeSeconds = 600\n');
  await machine.cli('trigger', '--at', night);
  machine.facts.otherUsers = () => Promise.resolve(['ann']);
  machine.clock('2026-11-21T02:58:00.000Z');
  t.match((await service(machine)).json(), { outcome: 'leaving', at: '2026-11-21T03:08:00.000Z' });
});

void t.test(
  'outside of the windows trigger waits for the next one; in one it goes at once; --now overrides',
  async (t) => {
    const machine = await prepared(t, windows);
    t.match((await machine.cli('trigger', '--json')).json(), {
      state: 'scheduled',
      at: '2026-11-21T02:00:00.000Z',
      until: '2026-11-21T04:00:00.000Z',
    });
    t.match(await machine.cli('trigger', '--at', '2026-11-21 05:00 UTC'), {
      exitCode: 2,
      stderr: /lies in no maintenance window/,
    });
    t.match(
      await status(machine),
      { scheduled: { at: '2026-11-21T02:00:00.000Z' } },
      'it has the former time',
    );
    machine.clock('2026-11-21T03:00:00.000Z');
    t.match((await machine.cli('trigger', '--json')).json(), {
      state: 'armed',
      attended: { outcome: 'leaving', at: '2026-11-21T03:00:00.000Z' },
    });
    await machine.cli('cancel');
    machine.clock('2026-11-21T05:00:00.000Z');
    t.match((await machine.cli('trigger', '--now', '--json')).json(), {
      state: 'armed',
      rebootAskedBy: 'the fake',
    });
    t.equal(machine.reboots, 1);
  },
);

void t.test('a window that closes meanwhile puts it off to the next one', async (t) => {
  const machine = await prepared(t, windows);
  await machine.cli('trigger');
  machine.facts.shutdownInhibitors = () => Promise.resolve([{ who: 'backup', why: 'tape' }]);
  machine.clock('2026-11-21T03:59:00.000Z');
  t.match((await service(machine)).json(), { outcome: 'waiting', at: '2026-11-22T01:55:00.000Z' });
  t.match(await status(machine), { scheduled: { at: '2026-11-22T02:00:00.000Z' } });
  machine.clock('2026-11-23T12:00:00.000Z');
  t.match(
    (await service(machine)).json(),
    {
      outcome: 'waiting',
      at: '2026-11-24T01:55:00.000Z',
      reason: { code: 'SCHEDULE_MISSED', message: 'the maintenance window is closed' },
    },
    'the machine was off for two nights',
  );
  machine.clock('2026-11-25T03:00:00.000Z');
  t.match(
    (await service(machine)).json(),
    {
      outcome: 'waiting',
      at: '2026-11-25T03:02:00.000Z',
      reason: { code: 'SCHEDULE_MISSED', message: 'the machine was off or busy at its time' },
    },
    'for another, and until the midst of the one after it',
  );
});

void t.test(
  'of each window it is said once what stands in the way, and when the next one opens',
  async (t) => {
    const machine = await prepared(t, windows);
    await machine.cli('trigger');
    machine.facts.shutdownInhibitors = () => Promise.resolve([{ who: 'backup', why: 'tape' }]);
    const nexts: unknown[] = [];
    for (const time of ['21T03:57', '21T03:59', '22T01:55', '22T01:57', '22T03:55', '22T03:59']) {
      machine.clock(`2026-11-${time}:00.000Z`);
      t.equal((await service(machine)).exitCode, 0);
      nexts.push(((await status(machine))['putOff'] as { next: string }).next);
    }
    t.strictSame(
      nexts,
      ['21T03:59', '22T01:55', '22T01:57', '22T01:57', '22T01:57', '23T01:55'].map(
        (time) => `2026-11-${time}:00.000Z`,
      ),
    );
    t.equal(told(machine).filter((id) => id === noticeIds['put-off']).length, 4);
  },
);

void t.test('with --when-idle it waits until nobody uses the machine, within the window', async (t) => {
  const machine = await prepared(t, windows);
  machine.facts.isIdle = () => Promise.resolve(false);
  machine.clock('2026-11-21T02:30:00.000Z');
  t.match((await machine.cli('trigger', '--when-idle', '--json')).json(), {
    state: 'scheduled',
    attended: { outcome: 'waiting', reason: { message: 'somebody is using the machine' } },
  });
  t.notOk(await isArmed(machine));
  machine.facts.isIdle = () => Promise.resolve(true);
  machine.clock('2026-11-21T02:34:00.000Z');
  t.match((await service(machine)).json(), { outcome: 'leaving', at: '2026-11-21T02:34:00.000Z' });
});

void t.test('a machine that was just switched on is not idle, however empty it is', async (t) => {
  const machine = await prepared(t);
  let secondsUp: number | undefined = 60;
  machine.facts.secondsUp = () => Promise.resolve(secondsUp);
  const message = 'the machine has just been started, and somebody may be about to use it';
  t.match((await machine.cli('trigger', '--when-idle', '--json')).json(), {
    attended: { outcome: 'waiting', at: '2026-11-20T15:02:00.000Z', reason: { code: 'NOT_NOW', message } },
  });
  secondsUp = undefined;
  t.match((await service(machine)).json(), { outcome: 'waiting', reason: { message } }, 'not known');
  t.notOk(await isArmed(machine));
  secondsUp = 900;
  t.match((await service(machine)).json(), { outcome: 'leaving' });
});

void t.test('nothing is armed in the midst of a boot, which may be long, but not without end', async (t) => {
  const machine = await prepared(t);
  await machine.cli('trigger', '--at', night);
  let secondsUp = 40;
  machine.facts.secondsUp = () => Promise.resolve(secondsUp);
  machine.facts.isStarting = () => Promise.resolve(true);
  machine.clock('2026-11-21T03:10:00.000Z');
  t.match((await service(machine)).json(), {
    outcome: 'waiting',
    at: '2026-11-21T03:12:00.000Z',
    reason: { code: 'NOT_NOW', message: 'the machine is still starting' },
  });
  t.notOk(await isArmed(machine));
  machine.facts.isStarting = () => Promise.resolve(false);
  secondsUp = 160;
  machine.clock('2026-11-21T03:12:00.000Z');
  t.match((await service(machine)).json(), { outcome: 'leaving' });

  const hanging = await prepared(t);
  await hanging.cli('trigger', '--at', night);
  hanging.facts.isStarting = () => Promise.resolve(true);
  hanging.facts.secondsUp = () => Promise.resolve(900);
  hanging.clock('2026-11-21T03:10:00.000Z');
  t.match((await service(hanging)).json(), { outcome: 'leaving' }, 'a job that hangs');
});

void t.test('a machine that is switched on after its time gives notice to whoever did it', async (t) => {
  const machine = await prepared(t);
  await machine.cli('trigger', '--at', night);
  machine.facts.secondsUp = () => Promise.resolve(20);
  machine.clock('2026-11-21T03:10:00.000Z');
  t.match((await service(machine)).json(), { outcome: 'leaving', at: '2026-11-21T03:15:00.000Z' });
});

void t.test(
  'on battery nothing is armed where the policy wants AC power; at a later time it may be on',
  async (t) => {
    const machine = await prepared(t, 'requireAcPower = true\n');
    machine.write('/sys/class/power_supply/BAT0/type', 'Battery\n');
    machine.write('/sys/class/power_supply/BAT0/capacity', '99\n');
    t.match(await machine.cli('trigger'), {
      exitCode: 5,
      stderr: /at 99 %, and the policy requires AC power/,
    });
    t.match((await machine.cli('trigger', '--at', night, '--json')).json(), {
      state: 'scheduled',
      findings: [{ check: 'power-supply', severity: 'warn', remedy: /it is looked at again at the time/ }],
    });
    machine.clock(night);
    t.match((await service(machine)).json(), {
      outcome: 'waiting',
      reason: { code: 'NOT_NOW', message: /99 %/ },
    });
    await rm(machine.path('/sys/class/power_supply/BAT0'), { recursive: true });
    t.match((await service(machine)).json(), { outcome: 'leaving' });
  },
);

void t.test("somebody else's shutdown is not replaced", async (t) => {
  const machine = await prepared(t);
  await machine.cli('trigger', '--at', night);
  const theirs = { type: 'poweroff', at: new Date('2026-11-21T03:30:00Z') };
  machine.scheduler.pending = theirs;
  machine.clock(night);
  t.match((await service(machine)).json(), {
    outcome: 'waiting',
    reason: { message: /somebody has scheduled a poweroff for/ },
  });
  t.equal(machine.scheduler.pending, theirs);
});

void t.test('a shutdown that somebody schedules during the checks is not replaced', async (t) => {
  const machine = await prepared(t);
  await machine.cli('trigger', '--at', night);
  const theirs = { type: 'poweroff', at: new Date('2026-11-21T03:30:00Z') };
  machine.clock(night);
  const looks = [undefined, theirs];
  machine.scheduler.shutdown = () => Promise.resolve(looks.length > 1 ? looks.shift() : theirs);
  machine.scheduler.pending = theirs;
  t.match((await service(machine)).json(), {
    outcome: 'waiting',
    reason: { code: 'NOT_NOW', message: /somebody has scheduled a poweroff for/ },
  });
  t.equal(machine.scheduler.pending, theirs);
  t.notOk(await isArmed(machine));
});

void t.test('somebody who comes back during the checks is not rebooted away', async (t) => {
  const machine = await prepared(t);
  const looks = [true];
  machine.facts.isIdle = () => Promise.resolve(looks.shift() ?? false);
  t.match((await machine.cli('trigger', '--when-idle', '--json')).json(), {
    attended: { outcome: 'waiting', reason: { message: 'somebody is using the machine' } },
  });
  t.notOk(await isArmed(machine));
  t.equal(machine.scheduler.pending, undefined);
});

void t.test('another shutdown in the place of the announced one takes back the update', async (t) => {
  for (const theirs of [
    { type: 'poweroff', at: new Date(night) },
    { type: 'reboot', at: new Date('2026-11-21T09:00:00Z') },
  ]) {
    const machine = await announced(t);
    machine.scheduler.pending = theirs;
    t.match(await status(machine), { state: 'armed', reboot: null }, 'which leads nobody into the update');
    machine.clock('2026-11-21T03:01:00.000Z');
    t.match((await service(machine)).json(), {
      outcome: 'given-up',
      reason: {
        code: 'REBOOT_WITHDRAWN',
        message: `somebody scheduled a ${theirs.type} instead of the reboot that was announced for it`,
      },
    });
    t.notOk(await isArmed(machine));
    t.equal(machine.scheduler.pending, theirs);
  }
});

void t.test('an announced reboot that is held up is looked at again, and not in a loop', async (t) => {
  const machine = await announced(t);
  machine.clock('2026-11-21T03:05:00.000Z');
  t.match((await service(machine)).json(), { outcome: 'leaving', at: night });
  t.strictSame(machine.scheduler.wake, new Date('2026-11-21T03:07:00Z'));
  t.ok(await isArmed(machine));
});

const silence = () => Promise.reject(new HostError('BUS_TIMEOUT', 'no reply within 5 seconds'));

void t.test('a bus that does not answer leaves no time without its timer', async (t) => {
  const machine = await prepared(t);
  await machine.cli('trigger', '--at', night);
  let isSilent = true;
  machine.scheduler.shutdown = () => (isSilent ? silence() : Promise.resolve(machine.scheduler.pending));
  machine.clock(night);
  machine.scheduler.wake = undefined;
  t.match(await service(machine), { exitCode: /[^0]/, stderr: /no reply within/ });
  t.strictSame(machine.scheduler.wake, new Date('2026-11-21T03:02:00Z'));
  isSilent = false;
  machine.clock('2026-11-21T03:02:00.000Z');
  t.match((await service(machine)).json(), { outcome: 'leaving' });

  machine.clock('2026-11-21T03:03:00.000Z');
  machine.scheduler.wake = undefined;
  isSilent = true;
  t.match(await service(machine), { exitCode: /[^0]/ });
  t.strictSame(
    machine.scheduler.wake,
    new Date('2026-11-21T03:05:00Z'),
    'nor an armed update without a watch',
  );
});

void t.test('a policy that cannot be read at its time costs two minutes, and not the time', async (t) => {
  const machine = await prepared(t);
  await machine.cli('trigger', '--at', night);
  machine.clock(night);
  machine.scheduler.wake = undefined;
  machine.write('/etc/offline-update/config.d/60-half.toml', 'attempts = ');
  t.match(await service(machine), { exitCode: 2, stdout: /CONFIG_INVALID/ });
  t.strictSame(machine.scheduler.wake, new Date('2026-11-21T03:02:00Z'));
  machine.write('/etc/offline-update/config.d/60-half.toml', 'attempts = 2\n');
  machine.clock('2026-11-21T03:02:00.000Z');
  t.match((await service(machine)).json(), { outcome: 'leaving' });
});

void t.test(
  'a bus that falls silent while it is armed leaves nothing armed, and the time stays',
  async (t) => {
    const machine = await prepared(t);
    await machine.cli('trigger', '--at', night);
    machine.clock(night);
    let looks = 0;
    machine.scheduler.shutdown = () => ((looks += 1) > 1 ? silence() : Promise.resolve(undefined));
    t.match((await service(machine)).json(), {
      outcome: 'waiting',
      at: '2026-11-21T03:02:00.000Z',
      reason: { code: 'NOT_NOW', message: 'no reply within 5 seconds' },
    });
    t.notOk(await isArmed(machine));
    t.match(await status(machine), { state: 'prepared', scheduled: { at: night } });
  },
);

void t.test(
  'a logind that is silent at a cancel: it is told, and the announced reboot is cancelled later',
  async (t) => {
    for (const verb of ['cancel', 'clean', 'stale']) {
      const machine = await prepared(t);
      await machine.cli('trigger', '--at', night);
      machine.clock('2026-11-21T02:55:00.000Z');
      await service(machine);
      machine.scheduler.shutdown = silence;
      machine.payload.fingerprint = 'f'.repeat(64);
      const called = await machine.cli(verb);
      t.equal(called.exitCode, 0, called.stderr);
      if (verb !== 'stale') {
        t.match(
          called.stdout,
          'was announced for it may still come: logind does not answer.\nTo prevent it: shutdown -c\n',
        );
      }
      t.notOk(await isArmed(machine));
      t.ok(machine.scheduler.pending, 'nobody could take it back');
      machine.scheduler.shutdown = () => Promise.resolve(machine.scheduler.pending);
      machine.clock('2026-11-21T02:59:45.000Z');
      t.equal(machine.scheduler.wake?.getTime(), Date.parse('2026-11-21T02:59:45.000Z'));
      t.match((await service(machine)).json(), { outcome: 'nothing' });
      t.equal(machine.scheduler.pending, undefined, verb);
      t.notOk(existsSync(machine.paths.shutdown));
    }
  },
);

void t.test('a silent logind is told with --json, and a second cancel may do it', async (t) => {
  const machine = await announced(t);
  machine.scheduler.cancelShutdown = silence;
  t.match((await machine.cli('cancel', '--json')).json(), { id: machine.id, rebootCancelled: 'unknown' });
  const cancelled: string[] = [];
  machine.scheduler.cancelShutdown = () => Promise.resolve(cancelled.push('ours') === 1);
  t.match((await machine.cli('cancel', '--json')).json(), { rebootCancelled: true });
  t.strictSame(cancelled, ['ours']);
});

void t.test('a time whose timer cannot be set is not set; a timer may try again', async (t) => {
  const machine = await prepared(t, windows);
  const system = fakeScheduler();
  system.wakeAt = () => Promise.reject(new HostError('COMMAND_FAILED', 'systemd-run: no'));
  machine.ports.scheduler = () => Promise.resolve(system);
  t.match(await machine.cli('trigger'), { exitCode: /[^0]/, stderr: /systemd-run: no/ });
  t.notOk(existsSync(machine.paths.scheduled));
  machine.ports.scheduler = () => Promise.resolve(machine.scheduler);
  t.match((await machine.cli('trigger', '--unattended', '--json')).json(), { state: 'scheduled' });
});

void t.test('a time that could not be told to anybody is not set', async (t) => {
  const machine = await prepared(t);
  const { online } = machine.ports;
  const current = online.store.current.bind(online.store);
  let isFull = false;
  online.store.current = async () => {
    const update = await current();
    const append = update?.journal.append.bind(update.journal);
    if (update && append) {
      update.journal.append = (entry) => {
        isFull ||= 'note' in entry && entry.note === 'scheduled';
        return isFull ? Promise.reject(new Error('ENOSPC: no space left on device')) : append(entry);
      };
    }
    return update;
  };
  t.match(await machine.cli('trigger', '--at', night), { exitCode: /[^0]/, stderr: /no space left/ });
  t.ok(isFull);
  t.notOk(existsSync(machine.paths.scheduled), 'no boot finds it');
  t.equal(machine.scheduler.wake, undefined);
});

void t.test('cancel forgets a reboot that was asked for, also where nothing is armed any more', async (t) => {
  const machine = await prepared(t);
  await machine.cli('trigger', '--at', night);
  machine.clock(night);
  await service(machine);
  const asked = readFileSync(machine.paths.shutdown, 'utf8');
  const { pending } = machine.scheduler;
  await machine.cli('cancel');
  machine.write('/run/offline-update/shutdown.json', asked);
  machine.scheduler.pending = pending;
  t.match((await machine.cli('cancel', '--json')).json(), { rebootCancelled: true });
  t.equal(machine.scheduler.pending, undefined);
  t.equal((await machine.cli('cancel')).exitCode, 4);
});

void t.test('unattended: only what waits for a window, and only once', async (t) => {
  const unattended = (machine: Prepared) => machine.cli('trigger', '--unattended', '--json');
  const open = await prepared(t);
  t.match(await unattended(open), { exitCode: 2, stderr: /the policy has no maintenance window/ });
  const machine = await prepared(t, windows);
  t.match((await unattended(machine)).json(), { state: 'scheduled', at: '2026-11-21T02:00:00.000Z' });
  t.match(await unattended(machine), { exitCode: 4, stderr: /is to be installed at .* already/ });
  machine.clock('2026-11-21T02:00:00.000Z');
  await service(machine);
  t.match(await unattended(machine), { exitCode: 4, stderr: /no update waits to be installed/ }, 'armed');
  machine.scheduler.pending = undefined;
  t.match((await service(machine)).json(), { outcome: 'given-up' });
  t.match(await unattended(machine), { exitCode: 4, stderr: /was given up: somebody took back/ });
  t.equal((await machine.cli('trigger', '--json')).exitCode, 0, 'a person may');
});

void t.test(
  'unattended: another run that is at work is waited for, and no failure when it lasts',
  async (t) => {
    const machine = await prepared(t, windows);
    const { online } = machine.ports;
    const waited: unknown[] = [];
    for (const [words, outcome] of [
      [['trigger', '--unattended'], { exitCode: 0, stdout: /2026-11-21/ }],
      [['prepare', '--unattended'], { exitCode: 4, stderr: /is to be installed at/ }],
    ] as const) {
      const lock = await takeLock(machine.paths.lock);
      const asked = new Promise<void>((resolve) => {
        online.takeLock = (path, waitSeconds) => {
          waited.push(waitSeconds);
          resolve();
          return takeLock(path, waitSeconds);
        };
      });
      const called = machine.cli(...words);
      await asked;
      lock.release();
      t.match(await called, outcome);
    }
    t.strictSame(waited, [300, 300]);
    online.takeLock = () => Promise.reject(new HostError('LOCK_HELD', 'locked by process 1'));
    for (const verb of ['trigger', 'prepare'])
      t.match(await machine.cli(verb, '--unattended'), { exitCode: 4, stderr: /another run .* is at work/ });
    t.equal((await machine.cli('trigger')).exitCode, 6, 'a person is told at once');
  },
);

void t.test('unattended: what somebody took back is left to people', async (t) => {
  const machine = await prepared(t, windows);
  const takenBack = { exitCode: 4, stderr: /was taken back by somebody\n +next: offline-update trigger/ };
  const unattended = () => machine.cli('trigger', '--unattended');
  t.equal((await unattended()).exitCode, 0);
  await machine.cli('cancel');
  t.match(await unattended(), takenBack, 'its time');
  t.match(await status(machine), { scheduled: null });
  await machine.cli('trigger', '--now');
  await machine.cli('cancel');
  t.match(await unattended(), takenBack, 'the armed update');
  t.equal((await machine.cli('trigger')).exitCode, 0, 'a person may');
});

void t.test('unattended: what somebody took back comes again with something newer only', async (t) => {
  const machine = await prepared(t, windows);
  const prepare = () => machine.cli('prepare', '--unattended', '--json');
  await machine.cli('trigger', '--unattended');
  await machine.cli('cancel');
  const again = await prepare();
  t.equal(again.exitCode, 4);
  t.match(again.json(), {
    error: { message: `update ${machine.id} is prepared already, and there is nothing newer` },
  });
  t.match(await status(machine), { id: machine.id, state: 'prepared', stage: { intact: true } });
  t.match(await machine.cli('trigger', '--unattended'), { exitCode: 4, stderr: /was taken back/ });

  machine.clock('2026-11-20T16:00:00.000Z');
  machine.payload.packages.push({ name: 'gamma', version: '2', content: 'newer' });
  t.match(await prepare(), { exitCode: 0 });
  t.not((await status(machine))['id'], machine.id);
  t.match(await machine.cli('trigger', '--unattended'), { exitCode: 0 });
});

void t.test('unattended: a damaged stage, and another policy, are a reason to prepare anew', async (t) => {
  const machine = await prepared(t);
  writeFileSync(`${machine.paths.stage}/lists/index`, 'damaged', { mode: 0o600 });
  machine.clock('2026-11-20T16:00:00.000Z');
  t.match(await machine.cli('prepare', '--unattended'), { exitCode: 0 });
  t.match(await machine.cli('prepare', '--unattended'), { exitCode: 4 });
  machine.write('/etc/offline-update/config.d/50-test.toml', 'attempts = 2\n');
  machine.clock('2026-11-20T17:00:00.000Z');
  t.match(await machine.cli('prepare', '--unattended'), { exitCode: 0 });
});

void t.test('prepare leaves alone what has a time; unattended that is nothing to do', async (t) => {
  const machine = await prepared(t);
  const plan = () => readFileSync(`${machine.paths.stage}/plan.json`, 'utf8');
  const before = plan();
  await machine.cli('trigger', '--at', night);
  t.match(await machine.cli('prepare'), {
    exitCode: 5,
    stderr: /is to be installed at .*\n +next: offline-update cancel/,
  });
  t.match(await machine.cli('prepare', '--unattended'), { exitCode: 4, stderr: /is to be installed at/ });
  await machine.cli('trigger', '--now');
  t.match(await machine.cli('prepare', '--unattended'), { exitCode: 4, stderr: /is armed/ });
  t.equal(plan(), before);
  const metered = await prepared(t);
  metered.facts.isMetered = () => Promise.resolve(true);
  t.match(await metered.cli('prepare', '--unattended'), { exitCode: 4, stderr: /the network is metered/ });
});

void t.test(
  'words that do not go together are told, and a time that cannot be read is the way to cancel',
  async (t) => {
    const machine = await prepared(t);
    for (const words of [
      ['--now', '--at', '03:00'],
      ['--now', '--when-idle'],
      ['--unattended', '--at', '03:00'],
      ['--at', 'whenever'],
    ])
      t.match(await machine.cli('trigger', ...words), {
        exitCode: 2,
        stderr: /next: offline-update trigger --/,
      });
    machine.write('/var/lib/offline-update/scheduled.json', '{"format":1,"at":"soon"}\n');
    t.match(await service(machine), {
      exitCode: 5,
      stderr: /scheduled\.json is not valid[^]*next: offline-update cancel/,
    });
    t.equal((await machine.cli('status')).exitCode, 0);
    t.equal((await machine.cli('cancel')).exitCode, 0);
    t.notOk(existsSync(machine.paths.scheduled));
  },
);

void t.test('why it was not done is said in a line', (t) => {
  const reason = { code: 'REHEARSAL_FAILED', message: 'the rehearsal failed: apt-get\ndpkg: error' } as const;
  t.strictSame(attendedLines({ outcome: 'given-up', id: 'U', reason }), [
    'Update U was not armed: the rehearsal failed: apt-get',
  ]);
  const [waits = ''] = attendedLines({ outcome: 'waiting', id: 'U', at: new Date(0), reason });
  t.match(waits, /^Not now: the rehearsal failed: apt-get\. Next look: /);
  t.end();
});
