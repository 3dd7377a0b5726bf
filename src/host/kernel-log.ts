/**
 * One line into the kernel's log: for the time before the journal runs, and what must be seen on the console.
 *
 * Never throws: the log is no reason for a boot to fail. In a container /dev/kmsg is usually not there.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { Priority } from './system-log.js';
import { priorityNumber } from './system-log.js';

export function writeKernelLog(line: string, priority: Priority, path = '/dev/kmsg'): void {
  const record = `<${priorityNumber(priority)}>offline-update: ${line.replaceAll('\n', ' ')}\n`;
  try {
    const fd = openSync(path, 'a');
    try {
      writeSync(fd, record); // one write(2) is one record
    } finally {
      closeSync(fd);
    }
  } catch {
    // nowhere to say it
  }
}
