/**
 * A lock between processes: flock(2) on an open file, through flock(1), which leaves it with our descriptor.
 *
 * The kernel drops it when we end, however we end; children do not inherit it. The file stays (to unlink a locked file
 * would let two holders in) and tells the holder's pid for the message.
 *
 * Errors: `LOCK_HELD` after `waitSeconds` (default 0), with the holder's pid and command; system errors of open(2).
 */
import { spawn } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { HostError } from './host-error.js';

export interface Lock {
  /** May be called more than once. */
  release(): void;
}

export async function takeLock(path: string, waitSeconds = 0): Promise<Lock> {
  const fd = openSync(path, 'a', 0o600);
  try {
    await flock(fd, path, waitSeconds);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  ftruncateSync(fd);
  writeSync(fd, `${process.pid}\n`);
  let held = true;
  return {
    release() {
      if (!held) return;
      held = false;
      ftruncateSync(fd);
      closeSync(fd);
    },
  };
}

const conflictStatus = 75;

async function flock(fd: number, path: string, waitSeconds: number): Promise<void> {
  const patience = waitSeconds > 0 ? ['--timeout', String(waitSeconds)] : ['--nonblock'];
  const args = ['--exclusive', '--conflict-exit-code', String(conflictStatus), ...patience, '0'];
  const child = spawn('flock', args, { stdio: [fd, 'ignore', 'inherit'] }); // the descriptor is its stdin
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (cause) => {
      reject(new HostError('COMMAND_NOT_FOUND', 'there is no flock command', { cause }));
    });
    child.once('exit', resolve);
  });
  if (status === conflictStatus) throw new HostError('LOCK_HELD', `${path} is locked by ${holderOf(path)}`);
  if (status !== 0) throw new HostError('COMMAND_FAILED', `cannot lock ${path}: flock ended with ${status}`);
}

function holderOf(path: string): string {
  const pid = readFileSync(path, 'utf8').trim();
  if (!/^\d+$/.test(pid)) return 'a process that is just taking it';
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return `process ${pid} (${command})`;
  } catch {
    return `process ${pid}`;
  }
}
