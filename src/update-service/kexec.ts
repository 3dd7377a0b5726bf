/**
 * A full reboot without firmware and boot loader: the kernel that the boot loader would start is loaded (kexec(8)), with
 * the command line that it would give. Only for a kernel that this update has brought, and only where nothing is in
 * doubt; else a reason, and a plain reboot. Nothing here rejects: a proven update does not fail by the way out.
 */
import { basename, join } from 'node:path';
import { exists } from '../host/exists.js';
import { namesIn, textOf } from '../host/if-there.js';
import { mountsOf } from '../host/mounts.js';
import { leadsElsewhere } from '../snapshots/btrfs/leads-here.js';
import { MODULES } from '../update/early-parts.js';
import { asUpdateError } from '../update/errors.js';
import { kexecObstacle } from '../update/kexec.js';
import { nextEntry, type NextEntry } from '../update/next-entry.js';
import type { PackageChange } from '../update/plan.js';
import type { Ports } from './ports.js';

type Machine = Pick<Ports, 'fs' | 'paths' | 'run' | 'runningSystem' | 'kernel'>;

/** Of an update that is committed; `changed`: the paths that its install has changed. Or why not. */
export async function nextKernel(
  machine: Machine,
  changes: readonly PackageChange[],
  changed: readonly string[],
): Promise<NextEntry | string> {
  const { fs, paths, run, runningSystem } = machine;
  try {
    const obstacle =
      (await kexecObstacle(fs, paths.root, await runningSystem(), changes)) ?? (await notSettled(machine));
    if (obstacle !== undefined) return obstacle;
    const entry = await nextEntry(fs, paths.root);
    if (typeof entry === 'string') return entry;
    const mounts = () => mountsOf(machine);
    return (
      (await notWhole(machine, entry, changed)) ??
      (await leadsElsewhere({ fs, paths, run, mounts }, entry.words)) ??
      entry
    );
  } catch (error) {
    return `it cannot be told which kernel boots next: ${asUpdateError(error).message}`;
  }
}

/** Whatever the boot loader has still to do before it is as this root wants it. */
async function notSettled({ fs, paths }: Machine): Promise<string | undefined> {
  for (const path of [paths.copyArmed, paths.fallbackArmed, paths.fallbackMark])
    if (await exists(fs, path)) return `another root is to boot next (${path})`;
  return (await namesIn(fs, paths.bootLoaderCalls)).length > 0
    ? 'the boot loader is renewed in the next boot, and has to show that it starts this root'
    : undefined;
}

async function notWhole(
  { fs, paths: { root } }: Machine,
  { image, initrd }: NextEntry,
  changed: readonly string[],
): Promise<string | undefined> {
  if (!changed.includes(image)) return `${image}, which boots next, is not from this update`;
  for (const path of [image, initrd]) if (!(await exists(fs, join(root, path)))) return `${path} is missing`;
  const release = basename(image).replace(/^[^-]*-/, '');
  const modules = await namesIn(fs, join(root, MODULES, release));
  return modules.length === 0 ? `${image} has no modules` : undefined;
}

const LOAD_SECONDS = 60;

/** Why it could not be loaded, or undefined: then the machine may be left by kexec.target. */
export async function loadKernel(
  { fs, paths, run }: Machine,
  { image, initrd, commandLine }: NextEntry,
): Promise<string | undefined> {
  const words = ['--load', image, `--initrd=${initrd}`, `--command-line=${commandLine}`];
  try {
    const { exitCode, stderr } = await run('kexec', words, { timeoutSeconds: LOAD_SECONDS });
    if (exitCode !== 0)
      return `kexec could not load ${image}: ${stderr.trim() || `exit status ${exitCode ?? 'unknown'}`}`;
    const loaded = await textOf(fs, join(paths.root, '/sys/kernel/kexec_loaded'));
    return loaded.trim() === '1' ? undefined : `the kernel says that ${image} is not loaded`;
  } catch (error) {
    return `kexec could not load ${image}: ${asUpdateError(error).message}`;
  }
}

/** Else a `systemctl reboot` of later, by whomever, would still start it. */
export async function unloadKernel({ run }: Pick<Machine, 'run'>): Promise<void> {
  await run('kexec', ['--unload'], { timeoutSeconds: LOAD_SECONDS }).catch(() => undefined);
}
