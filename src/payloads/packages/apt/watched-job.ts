/**
 * Runs a package manager to its end under the stall watch (invariant 10).
 *
 * While there is any sign of life nothing is ever signalled. After a stall the *scripts* are ended first, and the
 * package manager lives: it then notes the failure itself and goes on with the other packages. Only when it stalls
 * once more, or no script is there to be ended, its whole tree is ended.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Activity } from '../../../host/cgroup-activity.js';
import type { Job, JobEnd } from '../../../host/job.js';
import { endProcessTree, processTree } from '../../../host/process-tree.js';
import { pollMilliseconds, stallWatch } from './stall-watch.js';
import type { Stall } from './stall-watch.js';

export interface WatchOptions {
  stallTimeoutSeconds: number;
  /**
   * How many levels of processes are the package manager's own: 2 for apt (apt-get, dpkg), 1 for dpkg. What they
   * start is a script.
   */
  ownLevels: number;
  /** Returns what the line says to a person, for the message about a stall. */
  onLine(line: string): string;
  /** For the log, when something is ended. */
  onStall(stall: Stall, ended: 'scripts' | 'package manager'): void;
}

export interface WatchedEnd extends JobEnd {
  /** The first stall; undefined when there was none. */
  stall: Stall | undefined;
}

export interface WatchPorts {
  readActivity(pid: number): Promise<Activity>;
  /** Milliseconds, monotonic. */
  clock(): number;
}

/** The child keeps us running; a timer that is left over must not. */
const unref = { ref: false };

const graceSeconds = 10;
/** Even SIGKILL does not end a process that waits for a broken disk. */
const lastWaitMilliseconds = 15_000;

export async function watchJob(job: Job, ports: WatchPorts, options: WatchOptions): Promise<WatchedEnd> {
  const watch = stallWatch(options.stallTimeoutSeconds, () => ports.clock());
  const reading = (async () => {
    for await (const line of job.statusLines) {
      watch.progress(options.onLine(line));
    }
  })();
  const ended = job.exited.then((end) => ({ end }));
  let first: Stall | undefined;

  for (;;) {
    const found = await Promise.race([
      ended,
      pause(pollMilliseconds(options.stallTimeoutSeconds), undefined, unref),
    ]);
    if (found !== undefined) {
      await reading;
      return { ...found.end, stall: first };
    }
    watch.activity(await ports.readActivity(job.pid));
    const stall = watch.verdict();
    if (!stall) continue;

    const scripts = first ? [] : await scriptsOf(job.pid, options.ownLevels);
    first ??= stall;
    if (scripts.length > 0) {
      options.onStall(stall, 'scripts');
      await Promise.all(scripts.map((pid) => endProcessTree(pid, graceSeconds)));
      watch.restart();
      continue;
    }
    options.onStall(stall, 'package manager');
    await endProcessTree(job.pid, graceSeconds);
    const last = await Promise.race([ended, pause(lastWaitMilliseconds, undefined, unref)]);
    return { exitCode: undefined, signal: undefined, ...last?.end, stall: first };
  }
}

/** The processes just below the package manager's own levels. */
async function scriptsOf(pid: number, ownLevels: number): Promise<number[]> {
  const level = new Map<number, number>([[pid, 0]]);
  for (const { pid: member, parent } of await processTree(pid)) {
    const above = level.get(parent);
    if (above !== undefined) level.set(member, above + 1);
  }
  return [...level].filter(([, depth]) => depth === ownLevels).map(([member]) => member);
}
