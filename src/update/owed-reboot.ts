/**
 * Whether this machine owes a full reboot already, whatever the update changes: then a soft-reboot would leave it as it
 * is. Each rule rests on a fact that can be proven now; which ones, and which not, is told in docs/reboot.md.
 */
import { join } from 'node:path';
import type { FileSystem } from '../host/file-system.js';
import { ifThere, namesIn } from '../host/if-there.js';
import type { RunningSystem } from '../host/running-system.js';
import { MODULES, readEarlyParts } from './early-parts.js';
import { asUpdateError } from './errors.js';
import { REBOOT_REQUIRED, rebootRequired } from './reboot-required.js';
import { FEW, someOf } from './some-of.js';

/** Where systemd looks for another root to soft-reboot into. */
const NEXT_ROOT = '/run/nextroot';

/**
 * As a sentence without its full stop; undefined when nothing is owed. The first reason that is found, and what cannot be
 * looked at is one: a boot partition that does not mount, a disk that does not answer.
 */
export async function owedReboot(
  fs: FileSystem,
  root: string,
  runningSystem: () => Promise<RunningSystem>,
): Promise<string | undefined> {
  try {
    return await firstReason(fs, root, await runningSystem());
  } catch (error) {
    return `whether a reboot is owed cannot be told: ${asUpdateError(error).message}`;
  }
}

async function firstReason(
  fs: FileSystem,
  root: string,
  running: RunningSystem,
): Promise<string | undefined> {
  return (
    (await otherRoot(fs, root)) ??
    (await asked(fs, root)) ??
    replacedSystemd(running) ??
    (await modulesGone(fs, root, running)) ??
    (await changedInThisBoot(fs, root, running))
  );
}

async function otherRoot(fs: FileSystem, root: string): Promise<string | undefined> {
  return (await ifThere(fs.lstat(join(root, NEXT_ROOT))))
    ? `${NEXT_ROOT} is there, a soft-reboot would go into that root`
    : undefined;
}

async function asked(fs: FileSystem, root: string): Promise<string | undefined> {
  const names = await rebootRequired(fs, root);
  if (names === undefined) return undefined;
  const by = names.length > 0 ? ` for ${someOf(names, FEW)}` : '';
  return `a reboot is owed already: ${REBOOT_REQUIRED} asks for it${by}`;
}

/**
 * Nor any other library: PID 1 is executed anew by a soft-reboot. A systemd beneath PID 1, or a C library, is replaced
 * together with a daemon-reexec; where that was not made, the system is not what its packages say.
 */
function replacedSystemd({ replacedUnderPid1 }: RunningSystem): string | undefined {
  const files = replacedUnderPid1.filter((path) => /\/(systemd|libsystemd-[^/]*|libc\.so[^/]*)$/.test(path));
  return files.length === 0
    ? undefined
    : `a reboot is owed already: ${someOf(files, FEW)} was replaced beneath PID 1`;
}

async function modulesGone(
  fs: FileSystem,
  root: string,
  { kernelRelease }: RunningSystem,
): Promise<string | undefined> {
  if (kernelRelease === undefined) return undefined;
  const releases = await namesIn(fs, join(root, MODULES));
  return releases.length === 0 || releases.includes(kernelRelease)
    ? undefined
    : `a reboot is owed already: ${MODULES} has no modules of the running kernel ${kernelRelease}`;
}

async function changedInThisBoot(
  fs: FileSystem,
  root: string,
  running: RunningSystem,
): Promise<string | undefined> {
  const there = [...(await readEarlyParts(fs, root))].filter(([, content]) => content !== '');
  const looked = await Promise.all(
    there.map(async ([path]) => ((await running.isChangedInThisBoot(join(root, path))) ? [path] : [])),
  );
  const changed = looked.flat().sort();
  return changed.length === 0
    ? undefined
    : `a reboot is owed already: ${someOf(changed, FEW)} changed since this boot began`;
}
