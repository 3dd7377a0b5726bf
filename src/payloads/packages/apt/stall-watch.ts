/**
 * When is a package manager stalled (invariant 10)? When for `timeoutSeconds` it told no progress *and* none
 * of its processes used CPU or disk. Either alone is normal: a kernel's postinst is silent for seconds, a download
 * of progress lines may cost no measurable CPU.
 *
 * Pure: the clock is given, in milliseconds, and must be one that does not jump.
 */
import type { Activity } from '../../../host/cgroup-activity.js';

export interface Stall {
  /** Since the last sign of life. */
  seconds: number;
  /** The last thing the package manager told. */
  lastProgress: string;
}

export interface StallWatch {
  progress(what: string): void;
  /** Counters as they are now. Any change is life: the counters of a process that ends are lost, so they may shrink. */
  activity(now: Activity): void;
  verdict(): Stall | undefined;
  /** Something was done about a stall: the time counts anew. */
  restart(): void;
}

export function stallWatch(timeoutSeconds: number, clock: () => number): StallWatch {
  let lastLife = clock();
  let lastProgress = 'nothing yet';
  let before: Activity | undefined;

  return {
    progress(what) {
      lastProgress = what;
      lastLife = clock();
    },
    activity(now) {
      if (before && (now.cpuTicks !== before.cpuTicks || now.ioBytes !== before.ioBytes)) lastLife = clock();
      before = now;
    },
    verdict() {
      const seconds = (clock() - lastLife) / 1000;
      return seconds >= timeoutSeconds ? { seconds, lastProgress } : undefined;
    },
    restart() {
      lastLife = clock();
    },
  };
}

/** Often enough that a stall is found within a tenth over its time, seldom enough to cost nothing. */
export function pollMilliseconds(timeoutSeconds: number): number {
  return Math.min(5000, timeoutSeconds * 100);
}
