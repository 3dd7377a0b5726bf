/**
 * What a real script does to a real folder, step by step: a program of each name that changes or syncs a disk stands in
 * its path, and keeps what the folder looks like before it does its work. Hard links keep every inode that ever had a name,
 * so the same number is the same file.
 */
import { spawnSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Seen {
  kind: 'file' | 'folder' | 'symlink';
  text: string;
  mode: number;
  /** The real inode; of a folder none, since its look is a copy. */
  inode: number | undefined;
}

/** By path, without a slash in front. */
export type Look = Map<string, Seen>;

export interface Step {
  words: string[];
  /** Before it is done; of the last one, `end`, after all. */
  look: Look;
}

const noted = ['chmod', 'chown', 'cp', 'ln', 'mkdir', 'mv', 'rm', 'rmdir', 'sync', 'touch'];

interface Traced {
  status: number | null;
  stderr: string;
  steps: Step[];
}

interface TraceOptions {
  root: string;
  /** An empty folder on the same file system as `root`. */
  scratch: string;
  /** Further ones, whose text replaces them. */
  programs?: Record<string, string>;
  env?: Record<string, string>;
}

export function trace(
  command: readonly [file: string, ...args: string[]],
  { root, scratch, programs = {}, env = {} }: TraceOptions,
): Traced {
  const bin = join(scratch, 'bin');
  mkdirSync(bin);
  const keep = keeping(root, scratch);
  for (const name of noted) {
    const work = programs[name] ?? `exec ${name} "$@"`;
    writeFileSync(join(bin, name), `#!/bin/sh\nPATH=/usr/bin:/bin\n${keep(`${name} $*`)}\n${work}\n`, {
      mode: 0o755,
    });
  }
  const others = Object.entries(programs).filter(([name]) => !noted.includes(name));
  putPrograms(bin, Object.fromEntries(others));
  const ended = spawnSync(command[0], command.slice(1), {
    env: { PATH: `${bin}:/usr/bin:/bin`, LC_ALL: 'C', ...env },
    encoding: 'utf8',
  });
  spawnSync('/bin/sh', ['-euc', keep('end')]);
  return { status: ended.status, stderr: ended.stderr, steps: stepsIn(scratch) };
}

/** They stand in the way of the real ones. */
export function putPrograms(bin: string, programs: Record<string, string>): void {
  for (const [name, work] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${work}\n`, { mode: 0o755 });
  }
}

/** A line of shell that keeps a look under the words, which may hold variables. */
export function keeping(root: string, scratch: string): (words: string) => string {
  return (words) =>
    `at=${scratch}/look.$(date +%s%N); cp -al ${root} $at; printf '%s\\n' "${words}" >$at.words`;
}

export function stepsIn(scratch: string): Step[] {
  const looks = readdirSync(scratch).filter((name) => /^look\.\d+$/.test(name));
  return looks.sort().map((name) => ({
    words: readFileSync(join(scratch, `${name}.words`), 'utf8')
      .trim()
      .split(' '),
    look: lookAt(join(scratch, name)),
  }));
}

export function lookAt(folder: string): Look {
  const look: Look = new Map();
  const walk = (inside: string): void => {
    for (const name of readdirSync(join(folder, inside)).sort()) {
      const path = inside === '' ? name : `${inside}/${name}`;
      // Lists of the restore, made anew each time; and memory, which no power cut leaves.
      if (path.endsWith('/work') || path === 'run') continue;
      const whole = join(folder, path);
      const stats = lstatSync(whole);
      const mode = stats.mode & 0o7777;
      if (stats.isDirectory()) {
        look.set(path, { kind: 'folder', text: '', mode, inode: undefined });
        walk(path);
      } else if (stats.isSymbolicLink()) {
        look.set(path, { kind: 'symlink', text: readlinkSync(whole), mode, inode: stats.ino });
      } else {
        look.set(path, { kind: 'file', text: readFileSync(whole, 'utf8'), mode, inode: stats.ino });
      }
    }
  };
  walk('');
  return look;
}
