import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

/** Start of a process in clock ticks since boot: with the pid it names one process for ever. '' when it is gone. */
export function processStart(pid: number): string {
  // Field 22; the command name, field 2, may hold blanks and brackets.
  return readOrEmpty(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ')[19] ?? '';
}

export function processName(pid: number): string {
  return readOrEmpty(`/proc/${pid}/comm`).trim();
}

/** The container's PID 1, seen from here, when `supervisor` (systemd-nspawn) has made one. */
export function containerLeader(supervisor: number): number | undefined {
  const children = readOrEmpty(`/proc/${supervisor}/task/${supervisor}/children`).trim().split(' ');
  return children.map(Number).find((pid) => {
    const numbers = /^NSpid:\s+(.*)$/m.exec(readOrEmpty(`/proc/${pid}/status`))?.[1]?.split(/\s+/) ?? [];
    return numbers.length > 1 && numbers.at(-1) === '1';
  });
}

/** All processes in the PID namespace of this one, itself first; none when it is gone. */
export function processesBeside(pid: number): number[] {
  const namespace = pidNamespace(pid);
  // Ours: the pid is another process's by now.
  if (namespace === '' || namespace === pidNamespace('self')) return [];
  return [pid, ...allProcesses().filter((other) => other !== pid && pidNamespace(other) === namespace)];
}

/** All processes whose own root is a mount with `text` in its line of mountinfo, such as the folder of an overlay. */
export function processesRootedIn(text: string): number[] {
  const isRoot = (line: string) => line.split(' ')[4] === '/' && line.includes(text);
  return allProcesses().filter((pid) => readOrEmpty(`/proc/${pid}/mountinfo`).split('\n').some(isRoot));
}

function allProcesses(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function pidNamespace(pid: number | 'self'): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return '';
  }
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
