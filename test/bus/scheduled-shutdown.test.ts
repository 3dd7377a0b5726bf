import { Variant } from 'dbus-next';
import t from 'tap';
import { isIdle } from '../../src/host/login.js';
import {
  cancelScheduledShutdown,
  scheduledShutdown,
  scheduleReboot,
} from '../../src/host/scheduled-shutdown.js';
import { startFakeService, type Answer } from './fixtures/fake-service.js';
import { startPrivateBus } from './fixtures/private-bus.js';

const at = new Date('2026-11-22T03:00:00Z');
const microseconds = BigInt(at.getTime()) * 1000n;

async function login(
  test: { teardown(action: () => Promise<void>): unknown },
  answers: Record<string, Answer>,
) {
  const daemon = await startPrivateBus();
  test.teardown(() => daemon.stop());
  const service = await startFakeService(
    daemon.address,
    'org.freedesktop.login1',
    ({ member }) => answers[member] ?? { reply: [] },
  );
  return { address: daemon.address, calls: service.calls };
}

void t.test('a shutdown is scheduled with its words, read and cancelled', async (t) => {
  const { address, calls } = await login(t, {
    Get: { reply: ['v', new Variant('(st)', ['reboot', microseconds])] },
    CancelScheduledShutdown: { reply: ['b', true] },
  });
  await scheduleReboot(at, 'an update', address);
  t.strictSame(await scheduledShutdown(address), { type: 'reboot', at });
  t.equal(await cancelScheduledShutdown(address), true);
  t.strictSame(calls, [
    'SetWallMessage sb an update true',
    `ScheduleShutdown st reboot ${microseconds}`,
    'Get ss org.freedesktop.login1.Manager ScheduledShutdown',
    'CancelScheduledShutdown',
    'SetWallMessage sb  true',
  ]);
});

void t.test('none is scheduled: no time, no type, no logind', async (t) => {
  for (const value of [
    ['', 0n],
    ['reboot', 0xffff_ffff_ffff_ffffn],
  ]) {
    const { address } = await login(t, { Get: { reply: ['v', new Variant('(st)', value)] } });
    t.equal(await scheduledShutdown(address), undefined);
  }
  t.equal(await scheduledShutdown('unix:path=/no/such/socket'), undefined);
});

void t.test('a lock is told as one, and no logind as none', async (t) => {
  const { address } = await login(t, {
    ScheduleShutdown: { error: 'org.freedesktop.login1.BlockedByInhibitorLock', text: 'a tape is written' },
  });
  await t.rejects(scheduleReboot(at, '', address), {
    code: 'POWER_INHIBITED',
    message: /a tape is written/,
  });
  await t.rejects(scheduleReboot(at, '', 'unix:path=/no/such/socket'), {
    code: 'BUS_ABSENT',
  });
});

void t.test('idle is what logind says; without it nobody is there', async (t) => {
  for (const idle of [true, false]) {
    const { address, calls } = await login(t, { Get: { reply: ['v', new Variant('b', idle)] } });
    t.equal(await isIdle(address), idle);
    t.strictSame(calls, ['Get ss org.freedesktop.login1.Manager IdleHint']);
  }
  t.equal(await isIdle('unix:path=/no/such/socket'), true);
});
