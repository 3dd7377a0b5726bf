/**
 * What kind of systemd runs here, if any.
 */
import { lstat, stat } from 'node:fs/promises';
import type { RunCommand } from './command.js';
import { HostError, isErrno } from './host-error.js';

/** The major version, such as 257. Errors: `COMMAND_NOT_FOUND`, `COMMAND_FAILED`. */
export async function systemdVersion(run: RunCommand): Promise<number> {
  const result = await run('systemctl', ['--version'], { env: { LC_ALL: 'C' }, timeoutSeconds: 10 });
  const version = /^systemd (\d+)/.exec(result.stdout)?.[1];
  if (version === undefined) {
    throw new HostError('COMMAND_FAILED', `systemctl --version says no version: ${result.stderr}`);
  }
  return Number(version);
}

/** sd_booted(3): is systemd PID 1 of this system? */
export async function runsUnderSystemd(folder = '/run/systemd/system'): Promise<boolean> {
  try {
    return (await lstat(folder)).isDirectory();
  } catch {
    return false;
  }
}

/**
 * Are we in a chroot, where a request to PID 1 would reach another system? As systemd's running_in_chroot(): PID 1's
 * root is not ours, or there is no /proc to see it by. False when we may not look (not root).
 */
export async function isChroot(initRoot = '/proc/1/root', ownRoot = '/'): Promise<boolean> {
  try {
    const [theirs, ours] = await Promise.all([
      stat(initRoot, { bigint: true }),
      stat(ownRoot, { bigint: true }),
    ]);
    return theirs.dev !== ours.dev || theirs.ino !== ours.ino;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return true;
    if (isErrno(error, 'EACCES', 'EPERM')) return false;
    throw error;
  }
}
