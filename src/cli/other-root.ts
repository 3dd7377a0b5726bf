/** `--root`: package manager, units, timers and kernel answer for the running system alone. */
import type { FileSystem } from '../host/file-system.js';
import { isErrno } from '../host/host-error.js';
import type { Scheduler } from '../prepare/when/scheduler.js';
import { UpdateError } from '../update/errors.js';
import { shellWords } from '../update/shell-words.js';

/** Errors: `USAGE`: by a name that was mistyped it would look as if that system had no update, and some of it would be made. */
export async function refuseMissingRoot(fs: Pick<FileSystem, 'lstat'>, root: string): Promise<void> {
  try {
    await fs.lstat(`${root}/.`);
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error;
    throw new UpdateError('USAGE', `${root} is not a folder: no system is there`, {
      cause: error,
      hint: 'findmnt',
    });
  }
}

/**
 * `typed`: the whole command without its root. Errors: `USAGE` for another root than `/`; the hint is what is to be typed below
 * that root (`stepBelow`).
 */
export function refuseOtherRoot(root: string, verb: string, typed: string): void {
  if (root === '/') return;
  throw new UpdateError(
    'USAGE',
    `${verb} asks the running system, whatever folder the files are in: no --root`,
    { hint: typed },
  );
}

/** A next step as it is typed for the system below `root`: as it stands it would be carried out on this one. */
export function stepBelow(root: string, step: string): string {
  if (root === '/') return step;
  return step.replace(/\boffline-update ([a-z]+)/g, (command, verb: string) => {
    switch (verb) {
      case 'prepare':
        return shellWords(['chroot', root, 'offline-update', verb]);
      case 'trigger':
      case 'doctor':
        // a chroot is what the first of their checks finds
        return `boot the system of ${root}, and there: ${command}`;
      default:
        return shellWords(['offline-update', '--root', root, verb]);
    }
  });
}

/** Of what was typed after the name of the program. */
export function withoutRoot(words: readonly string[]): string[] {
  const end = words.includes('--') ? words.indexOf('--') : words.length;
  return words.filter(
    (word, at) =>
      at >= end || !(word.startsWith('--root=') || word === '--root' || words[at - 1] === '--root'),
  );
}

/** The timers and the shutdown of the running system are not for the update of another root, and stay as they are. */
export const noScheduler: Scheduler = {
  wakeAt: refuse,
  forgetWake: () => Promise.resolve(),
  shutdown: () => Promise.resolve(undefined),
  scheduleReboot: refuse,
  warn: () => Promise.resolve(),
  cancelShutdown: () => Promise.resolve(false),
  leave: refuse,
  tell: () => Promise.resolve(),
  calendar: () => Promise.resolve(undefined),
};

function refuse(): Promise<never> {
  return Promise.reject(
    new UpdateError('INTERNAL', 'an update below another root was to be given a time', {
      hint: 'offline-update status',
    }),
  );
}
