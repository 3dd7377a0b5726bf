/** The memory that the processes of some units of a machine hold, looked at from outside while something else goes on. */
import { readFile, readdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Machine } from '../../test/laboratory/laboratory.js';

const pauseMilliseconds = 10;

/** The most that `look` told while `work` went on. It is asked again that long after each answer, and never once `work` has ended. */
export async function peakDuring<T>(
  look: () => Promise<number>,
  work: () => Promise<T>,
): Promise<{ peak: number; result: T }> {
  let [peak, ended] = [0, false];
  const looking = (async () => {
    while (!ended) {
      peak = Math.max(peak, await look());
      await pause(pauseMilliseconds);
    }
  })();
  const stop = (): Promise<void> => {
    ended = true;
    return looking;
  };
  const result = await work().finally(stop);
  return { peak, result };
}

/** Bytes: proportional set sizes, so that what they share counts once. A look at all processes takes some milliseconds itself. */
export async function heldBytes(machine: Machine, units: readonly string[]): Promise<number> {
  const group = `lab-${basename(dirname(machine.root))}/`;
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const sizes = await Promise.all(pids.map((pid) => sizeOf(pid, group, units)));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** 0 for who is gone or not of these units. */
async function sizeOf(pid: string, group: string, units: readonly string[]): Promise<number> {
  try {
    const groups = await readFile(`/proc/${pid}/cgroup`, 'utf8');
    if (!groups.includes(group) || !units.some((unit) => groups.includes(`/${unit}`))) return 0;
    const [, kibibytes] = /^Pss:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? [];
    return Number(kibibytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}
