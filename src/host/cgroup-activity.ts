/**
 * Does anything happen? The CPU time and input/output of all processes in the cgroup of `pid`, without ourselves.
 *
 * For the stall check: take it twice and compare for *changed*, not for *grew*: a process that ends takes its numbers
 * with it. Where `pid` sits in the root cgroup, or no cgroup can be read, its tree of descendants is taken instead,
 * for the root cgroup is the whole machine.
 *
 * No errors: what cannot be read counts as nothing.
 */
import { readFile } from 'node:fs/promises';
import { processTree, readProcessStat } from './process-tree.js';

export interface Activity {
  /** User and system time, clock ticks. */
  cpuTicks: number;
  /** Read and written: to the disk, and to anything at all. */
  ioBytes: number;
}

/** Where the kernel's trees are mounted; tests give their own. */
export interface ActivitySource {
  proc: string;
  cgroup: string;
}

const kernelTrees: ActivitySource = { proc: '/proc', cgroup: '/sys/fs/cgroup' };

export async function readActivity(pid: number, source = kernelTrees): Promise<Activity> {
  const members = await cgroupMembers(pid, source);
  const pids = members ?? (await processTree(pid, source.proc)).map((member) => member.pid);
  const numbers = await Promise.all(
    pids.filter((member) => member !== process.pid).map((member) => activityOf(member, source.proc)),
  );
  return numbers.reduce(
    (sum, one) => ({
      cpuTicks: sum.cpuTicks + one.cpuTicks,
      ioBytes: sum.ioBytes + one.ioBytes,
    }),
    { cpuTicks: 0, ioBytes: 0 },
  );
}

/** Of the control group of `pid`; undefined when it says nothing about this process alone. */
export async function cgroupMembers(
  pid: number,
  { proc, cgroup }: ActivitySource = kernelTrees,
): Promise<number[] | undefined> {
  const lines = (await readText(`${proc}/${pid}/cgroup`)).split('\n');
  const unified = lines.find((line) => line.startsWith('0::'))?.slice('0::'.length);
  const named = lines
    .find((line) => line.includes(':name=systemd:'))
    ?.split(':')
    .slice(2)
    .join(':');
  const files = [
    ...candidates(unified, [cgroup, `${cgroup}/unified`]), // hybrid: v2 sits one folder deeper
    ...candidates(named, [`${cgroup}/systemd`]),
  ];
  for (const file of files) {
    const members = (await readText(file)).split('\n').filter(Boolean).map(Number);
    if (members.includes(pid)) return members;
  }
  return undefined;
}

function candidates(path: string | undefined, mounts: readonly string[]): string[] {
  if (path === undefined || path === '/') return [];
  return mounts.map((mount) => `${mount}${path}/cgroup.procs`);
}

async function activityOf(pid: number, proc: string): Promise<Activity> {
  const [stat, io] = await Promise.all([readProcessStat(pid, proc), readText(`${proc}/${pid}/io`)]);
  const counters = io.matchAll(/^(?:rchar|wchar|read_bytes|write_bytes): (\d+)$/gm);
  const ioBytes = [...counters].reduce((sum, [, bytes]) => sum + Number(bytes), 0);
  return { cpuTicks: stat?.cpuTicks ?? 0, ioBytes };
}

async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
