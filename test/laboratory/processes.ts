import { readFileSync, readdirSync } from 'node:fs';

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

/** All processes whose own root is a mount with `text` in its line of mountinfo, such as the folder of an overlay. */
export function processesRootedIn(text: string): number[] {
  const isRoot = (line: string) => line.split(' ')[4] === '/' && line.includes(text);
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => readOrEmpty(`/proc/${name}/mountinfo`).split('\n').some(isRoot))
    .map(Number);
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
