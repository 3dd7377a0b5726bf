/** This machine's layout, and whether all that an update changes lies in the one subvolume that is switched. */
import { join } from 'node:path';
import type { RunCommand } from '../../host/command.js';
import { freeSpace } from '../../host/disk-space.js';
import { exists } from '../../host/exists.js';
import type { FileSystem } from '../../host/file-system.js';
import { isErrno, isHostError } from '../../host/host-error.js';
import { ifThere, textOf } from '../../host/if-there.js';
import { readKernelCommandLine } from '../../host/kernel-command-line.js';
import { mountOf, readMounts, type Mount } from '../../host/mounts.js';
import { readSwapFiles } from '../../host/swap-files.js';
import type { Paths } from '../../update/paths.js';
import { defaultSubvolume, nestedIn } from './btrfs-command.js';
import { bootEntries } from '../../update/boot-entries.js';
import { analyseLayout, bootWords, type SwitchableLayout, type UsableLayout } from './layout.js';
import { SNAPPER_FOLDER } from './snapper-folder.js';

export interface LayoutPorts {
  paths: Paths;
  fs: FileSystem;
  run: RunCommand;
  /** What only the kernel knows; tests say otherwise. */
  kernel?: {
    mounts(): Promise<Mount[]>;
    commandLine(): Promise<string[]>;
    swapFiles(): Promise<string[]>;
  };
}

const realKernel = {
  mounts: () => readMounts(),
  commandLine: () => readKernelCommandLine(),
  swapFiles: () => readSwapFiles(),
};

/** Both roots live on the same disk and drift apart: each changed block is there twice until one is removed. */
const LEAST_FREE_BYTES = 256 * 1024 * 1024;

/** What packages own, and what must come back with them: the database, our own record and files; /boot see boot-files.ts. */
const PROTECTED = [
  '/usr',
  '/etc',
  '/opt',
  '/var',
  '/var/lib',
  '/var/lib/dpkg',
  '/var/lib/offline-update',
  '/var/lib/system-update',
];
const SNAPPER_CONFIGS = '/etc/snapper/configs';

/**
 * `nothing`, with the reason, unless a fallback would cover the whole system and would boot. A fallback that is there
 * already needs no room.
 */
export async function layoutOfMachine(
  ports: LayoutPorts,
  needs: 'room' | 'no room',
): Promise<UsableLayout | { by: 'nothing'; reason: string }> {
  const { paths, run, kernel = realKernel } = ports;
  try {
    const nesting = nestedIn(run, paths.root);
    nesting.catch(() => undefined); // told below, where the layout is one to switch
    const [mounts, defaultId] = await Promise.all([kernel.mounts(), defaultSubvolume(run, paths.root)]);
    const words = await wordsOfBoot(ports);
    const layout = analyseLayout({
      root: mountOf(paths.root, mounts),
      ...words,
      defaultSubvolume: defaultId,
    });
    if (layout.by === 'nothing') return layout;
    const nested = await nesting;
    const reason =
      (needs === 'room' ? await swappedTo(ports, await kernel.swapFiles()) : undefined) ??
      (await outside(ports)) ??
      (await filledOf(ports, layout.name, nested)) ??
      (await namedByLoader(ports, layout));
    if (reason !== undefined) return { by: 'nothing', reason };
    const { bytes } = await freeSpace(paths.root);
    const free = `${Math.floor(bytes / 1024 / 1024)} MiB`;
    if (needs === 'room' && bytes < LEAST_FREE_BYTES)
      return { by: 'nothing', reason: `only ${free} are free for two roots` };
    const said = bootWords(words).map(({ where }) => where);
    const told = `${said.length > 0 ? `told by ${said.join(' and ')}` : 'no subvol= anywhere'}, ${free} free`;
    return { ...layout, nested, told };
  } catch (error) {
    if (!isHostError(error, 'COMMAND_NOT_FOUND')) throw error;
    return { by: 'nothing', reason: 'btrfs-progs is not installed' };
  }
}

/** The subvolumes that boot by their name, whatever lies under it now. */
export async function namedToBoot(ports: LayoutPorts): Promise<string[]> {
  return bootWords(await wordsOfBoot(ports)).map(({ subvolume }) => subvolume);
}

async function wordsOfBoot({
  paths,
  fs,
  kernel = realKernel,
}: LayoutPorts): Promise<Parameters<typeof bootWords>[0]> {
  return {
    kernelCommandLine: await kernel.commandLine(),
    fstab: await textOf(fs, join(paths.root, '/etc/fstab')),
  };
}

/** Switching the default subvolume does not move what GRUB looks up by the name of a subvolume. */
async function namedByLoader(
  { paths, fs }: LayoutPorts,
  layout: SwitchableLayout,
): Promise<string | undefined> {
  if (layout.by === 'name') return undefined;
  const named = (await bootEntries(fs, paths.root)).find(({ kernel }) =>
    kernel.startsWith(`/${layout.name}/`),
  );
  return (
    named &&
    `/ is mounted as the default subvolume, but ${named.file} starts the kernel of ${layout.name} by its name`
  );
}

/** btrfs refuses a snapshot of a subvolume with a swap file that is in use (ETXTBSY), in the update boot as well. */
async function swappedTo(
  { paths, fs }: Pick<LayoutPorts, 'paths' | 'fs'>,
  swapFiles: readonly string[],
): Promise<string | undefined> {
  const { device } = await fs.lstat(paths.root);
  for (const file of swapFiles) {
    const entry = await ifThere(fs.lstat(join(paths.root, file)));
    if (entry?.device === device)
      return `the swap file ${file} lies in it, and btrfs makes no snapshot of that: move it to a subvolume of its own`;
  }
  return undefined;
}

/** Each subvolume and each mount is a device of its own. */
async function outside({ paths, fs }: LayoutPorts): Promise<string | undefined> {
  const { device } = await fs.lstat(paths.root);
  for (const path of PROTECTED) {
    try {
      const entry = await fs.lstat(join(paths.root, path));
      if (entry.kind !== 'folder') return `${path} is no folder of the root subvolume`;
      if (entry.device !== device) return `${path} is a file system or subvolume of its own`;
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error;
    }
  }
  return undefined;
}

async function filledOf(
  { paths, fs }: LayoutPorts,
  name: string,
  nested: readonly string[],
): Promise<string | undefined> {
  for (const path of nested) {
    const inside = path.slice(name.length);
    // Archives, no part of the system: they are moved to the root that boots.
    if (inside === SNAPPER_FOLDER && (await exists(fs, join(paths.root, SNAPPER_CONFIGS)))) continue;
    if ((await fs.readFolder(join(paths.root, inside))).length > 0) {
      return `${inside} is a subvolume with files, which a snapshot of / does not hold`;
    }
  }
  return undefined;
}
