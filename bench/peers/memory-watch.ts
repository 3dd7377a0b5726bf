/**
 * The most memory that the processes of some units of a machine hold at once, looked at every few milliseconds from
 * outside: proportional set sizes, so that what they share counts once.
 */
import { readFile, readdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Machine } from '../../test/laboratory/laboratory.js';

const everyMilliseconds = 10;

export function watchMemory(machine: Machine, units: readonly string[]): { stop(): Promise<number> } {
  const group = `lab-${basename(dirname(machine.root))}/`;
  let [peak, stopped] = [0, false];
  const look = async (): Promise<void> => {
    while (!stopped) {
      const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
      const sizes = await Promise.all(pids.map((pid) => sizeOf(pid, group, units)));
      peak = Math.max(
        peak,
        sizes.reduce((sum, size) => sum + size, 0),
      );
      await pause(everyMilliseconds);
    }
  };
  const looking = look();
  return {
    async stop() {
      stopped = true;
      await looking;
      return peak;
    },
  };
}

/** Bytes; 0 for who is gone or not of these units. */
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
