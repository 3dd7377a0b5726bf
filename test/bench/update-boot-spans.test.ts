import t from 'tap';
import { fromSysinitAfter, updateBootSpans } from '../../bench/update-boot-spans.js';
import type { JournalRow } from '../laboratory/laboratory.js';

function row(monotonicSeconds: number, message: string, by = 'systemd'): JournalRow {
  return { message, monotonicSeconds, bootId: '', fields: { _COMM: by } };
}

/** Of the boot before, and of the update boot as its journal tells it: the first row comes long after the first word. */
const rows = [
  row(2, 'Reached target sysinit.target - System Initialization.'),
  row(5, 'Stopping dbus.service - D-Bus System Message Bus...'),
  row(11.5, 'Journal started', 'systemd-journal'),
  row(11.625, 'Starting systemd-journal-flush.service - Flush Journal to Persistent Storage...'),
  row(12, 'Reached target sysinit.target - System Initialization.'),
  row(12.25, 'Stopped by hand', 'logger'),
  row(14, 'Removed slice system-modprobe.slice - Slice /system/modprobe.'),
  row(14.5, 'Stopping dbus.service - D-Bus System Message Bus...'),
];

void t.test('the whole span has in it what PID 1 waits for before sysinit.target', (t) => {
  t.strictSame(updateBootSpans({ ended: 'reboot', startedSeconds: 10 }, rows, 10.5), {
    fromSysinit: 2,
    fromFirstWord: 3.5,
  });
  t.end();
});

void t.test('a boot that cannot be told gives no figure', (t) => {
  t.throws(() => updateBootSpans({ ended: 'poweroff', startedSeconds: 10 }, rows, 10.5), {
    message: 'the update boot ended with poweroff',
  });
  t.throws(() => updateBootSpans({ ended: 'reboot', startedSeconds: 15 }, rows, 15.5), {
    message: 'the journal does not tell when the update boot began and ended',
  });
  t.throws(() => updateBootSpans({ ended: 'reboot', startedSeconds: 10 }, rows, undefined), {
    message: 'PID 1 said no word on the console',
  });
  t.end();
});

void t.test('in the same journal, the update boot after a soft-reboot was asked for', (t) => {
  t.equal(fromSysinitAfter(rows, 5), 2);
  t.throws(() => fromSysinitAfter(rows, 12), /does not tell/);
  t.end();
});
