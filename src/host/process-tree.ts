/**
 * Ends a process and all its descendants: SIGTERM to each, and SIGKILL to what is left after `graceSeconds`.
 *
 * Only for what is stalled or over its time: a package manager that makes progress is never ended
 * (invariant 10). Resolves when none of them runs any more, or when even SIGKILL was given (a process in an
 * uninterruptible wait cannot be waited for). Descendants are found before the first signal, because a child whose
 * parent has died belongs to PID 1 and cannot be found any more.
 */
import { readdir, readFile } from 'node:fs/promises';

export async function endProcessTree(pid: number, graceSeconds: number): Promise<void> {
  const tree = await processTree(pid);
  const running = (): Promise<ProcessStat[]> => stillRunning(tree);
  signalAll(tree, 'SIGTERM');
  signalAll(tree, 'SIGCONT'); // a stopped process acts on SIGTERM only when it goes on
  await waitUntil(async () => (await running()).length === 0, graceSeconds);
  signalAll(await running(), 'SIGKILL');
  await waitUntil(async () => (await running()).length === 0, killWaitSeconds);
}

/** Asks all our own descendants to end, and does not wait for it. */
export async function endChildren(): Promise<void> {
  const tree = await processTree(process.pid);
  signalAll(
    tree.filter(({ pid }) => pid !== process.pid),
    'SIGTERM',
  );
}

/** What /proc/PID/stat says: enough to know a process again (the pid alone may be given out anew). */
export interface ProcessStat {
  pid: number;
  parent: number;
  state: string;
  /** User and system time, clock ticks. */
  cpuTicks: number;
  /** Clock ticks after boot. */
  startTime: number;
}

/** The process and its descendants, parents before children; empty when there is no such process. */
export async function processTree(pid: number, proc = '/proc'): Promise<ProcessStat[]> {
  const all = await allProcesses(proc);
  const tree = all.filter((process) => process.pid === pid);
  for (const member of tree) tree.push(...all.filter((process) => process.parent === member.pid));
  return tree;
}

/** Undefined when the process is gone. The name in the second field may hold blanks and brackets. */
export async function readProcessStat(pid: number, proc = '/proc'): Promise<ProcessStat | undefined> {
  const text = await readFile(`${proc}/${pid}/stat`, 'latin1').catch(() => undefined);
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' '); // from field 3 of proc_pid_stat(5) on
  const numberAt = (field: number): number => Number(fields[field - 3]);
  return {
    pid,
    parent: numberAt(4),
    state: fields[0] ?? '',
    cpuTicks: numberAt(14) + numberAt(15),
    startTime: numberAt(22),
  };
}

const killWaitSeconds = 2;
const lookEveryMilliseconds = 20;

async function allProcesses(proc: string): Promise<ProcessStat[]> {
  const pids = (await readdir(proc)).filter((name) => /^\d+$/.test(name)).map(Number);
  const stats = await Promise.all(pids.map((pid) => readProcessStat(pid, proc)));
  return stats.filter((stat) => stat !== undefined);
}

async function stillRunning(tree: readonly ProcessStat[]): Promise<ProcessStat[]> {
  const now = await Promise.all(tree.map(({ pid }) => readProcessStat(pid)));
  return tree.filter((before, index) => {
    const found = now[index];
    return found?.startTime === before.startTime && found.state !== 'Z' && found.state !== 'X';
  });
}

function signalAll(tree: readonly ProcessStat[], signal: NodeJS.Signals): void {
  for (const { pid } of tree) {
    try {
      process.kill(pid, signal);
    } catch {
      // gone in the meantime, which is what we want
    }
  }
}

/** There is no event for the end of a process that is not our child. */
async function waitUntil(done: () => Promise<boolean>, seconds: number): Promise<void> {
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end && !(await done())) {
    await new Promise((resolve) => setTimeout(resolve, lookEveryMilliseconds));
  }
}
