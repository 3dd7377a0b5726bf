/**
 * What the generator can know: the links, the kernel command line, and whether this is a boot or a daemon-reload in
 * the midst of a running system. Synchronous and free of every other process: nothing else runs yet.
 */
import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { argumentsOf, isContainer, splitKernelWords } from '../host/kernel-command-line.js';
import { bootTargetOverrides } from '../update/boot-override.js';
import { CLAIMED_SUFFIX, pathsBelow } from '../update/paths.js';
import { isOurTarget } from '../update/trigger-link.js';

export interface BootFacts {
  inInitrd: boolean;
  /** Our own trigger, if one is there. */
  trigger: string | undefined;
  /** Our own trigger as an attempt has claimed it. */
  claimed: string | undefined;
  /** Another tool's trigger lies there: this boot is not ours alone. */
  foreign: boolean;
  /** The word of the kernel command line that names another target; the redirect then has no effect. */
  override: string | undefined;
  /** PID 1 runs a system already: a daemon-reload, not a boot. */
  running: boolean;
}

export function readBootFacts(env: NodeJS.ProcessEnv, root = '/'): BootFacts {
  const { triggers } = pathsBelow(root);
  const given = env.SYSTEMD_PROC_CMDLINE;
  const words = given === undefined ? readCommandLine(root) : splitKernelWords(given);
  return {
    inInitrd: env['SYSTEMD_IN_INITRD'] === '1',
    trigger: triggers.find((path) => pointsToUs(path)),
    claimed: triggers.map((path) => path + CLAIMED_SUFFIX).find((path) => pointsToUs(path)),
    foreign: triggers.some((path) => existsWithoutFollowing(path) && !pointsToUs(path)),
    override: bootTargetOverrides(words).at(-1),
    running: journalRuns(root),
  };
}

function pointsToUs(path: string): boolean {
  try {
    return isOurTarget(readlinkSync(path));
  } catch {
    return false;
  }
}

function existsWithoutFollowing(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function readCommandLine(root: string): string[] {
  const read = (path: string): string => readFileSync(join(root, path), 'utf8');
  try {
    return isContainer(root) ? argumentsOf(read('/proc/1/cmdline')) : splitKernelWords(read('/proc/cmdline'));
  } catch {
    return [];
  }
}

/**
 * journald is the first service of every boot and the generators run before it, after a soft-reboot too. One that belongs
 * to a systemd in the initrd (dracut) is told to end when the root is switched, and is still there when our generators
 * run: dead and not waited for, or in the root that was left.
 */
function journalRuns(root: string): boolean {
  const processes = join(root, '/proc');
  const own = statSync(root);
  return readdirSync(processes)
    .filter((name) => /^\d+$/.test(name))
    .some((pid) => {
      try {
        // The kernel cuts the name off after 15 characters.
        if (readFileSync(join(processes, pid, 'comm'), 'utf8') !== 'systemd-journal\n') return false;
        const { dev, ino } = statSync(join(processes, pid, 'root'));
        return dev === own.dev && ino === own.ino;
      } catch {
        return false; // ended meanwhile
      }
    });
}
