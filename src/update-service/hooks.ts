/**
 * The administrator's executables around an install: `before-install.d` and `after-install.d`, in byte order, each
 * with a time limit and its output kept (keep-output.ts). What is not an executable file, or ends in `~` or `.dpkg-*`, is not
 * run; nor is a link to one that is none: to /dev/null, which masks a hook as it masks a unit, or to a folder.
 */
import { join } from 'node:path';
import type { CommandResult } from '../host/command.js';
import { isErrno } from '../host/host-error.js';
import { UpdateError } from '../update/errors.js';
import { lastLine } from './keep-output.js';
import type { Ports } from './ports.js';

const OUTPUT_LIMIT_CHARACTERS = 4000;

export interface HookRun {
  folder: string;
  timeoutSeconds: number;
  env: Record<string, string>;
  note: (ran: RanHook) => Promise<void>;
}

export interface RanHook {
  path: string;
  exitCode: number;
  output: string;
}

/** Runs them all, or up to the first that fails; false when there is none. Errors: `HOOK_FAILED`. */
export async function runHooks({ fs, run }: Ports, hook: HookRun): Promise<boolean> {
  const paths = await hookFiles(fs, hook.folder);
  for (const path of paths) {
    const result = await run(path, [], {
      timeoutSeconds: hook.timeoutSeconds,
      withDescendants: true,
      env: hook.env,
    }).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      throw new UpdateError('HOOK_FAILED', `the hook ${path} could not be run to its end: ${why}`, {
        cause: error,
      });
    });
    const exitCode = result.exitCode ?? -1;
    const output = outputOf(result);
    await hook.note({ path, exitCode, output });
    if (exitCode !== 0) {
      throw new UpdateError('HOOK_FAILED', `the hook ${path} ended with ${exitCode}${lastLine(output)}`);
    }
  }
  return paths.length > 0;
}

/** The end of it, which is where the reason stands. */
export function outputOf({ stdout, stderr }: CommandResult): string {
  return [stdout, stderr].filter(Boolean).join('\n').slice(-OUTPUT_LIMIT_CHARACTERS);
}

export async function hookFiles(fs: Ports['fs'], folder: string): Promise<string[]> {
  const files: string[] = [];
  try {
    for (const name of await fs.readFolder(folder)) {
      if (/~$|\.dpkg-\w+$/.test(name)) continue;
      if (await isRun(fs, join(folder, name))) files.push(join(folder, name));
    }
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
  return files;
}

/** Judged by what a link leads to. One that leads nowhere was to be a hook, and fails as one. */
async function isRun(fs: Ports['fs'], path: string): Promise<boolean> {
  const entry = await fs.stat(path).catch(() => undefined);
  return entry === undefined || (entry.kind === 'file' && (entry.mode & 0o111) !== 0);
}
