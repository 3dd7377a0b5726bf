/** `--root`: package manager, units, timers and kernel answer for the running system alone. */
import type { Scheduler } from '../prepare/when/scheduler.js';
import { UpdateError } from '../update/errors.js';
import { shellWords } from '../update/shell-words.js';

/** Errors: `USAGE` for another root than `/`. */
export function refuseOtherRoot(root: string, verb: 'prepare' | 'trigger' | 'doctor'): void {
  if (root === '/') return;
  const hint =
    verb === 'prepare'
      ? shellWords(['chroot', root, 'offline-update', verb])
      : // a chroot is what the first of these checks finds
        `boot the system of ${root}, and there: offline-update ${verb}`;
  throw new UpdateError(
    'USAGE',
    `${verb} asks the running system, whatever folder the files are in: no --root`,
    { hint },
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
