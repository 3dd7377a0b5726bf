/**
 * How this machine finds its btrfs root at boot, told from facts alone: by the name of a subvolume, as the default
 * subvolume, or in a way that cannot be switched safely (docs/fallback.md, "Not usable").
 */
import type { Mount } from '../../host/mounts.js';

export interface LayoutFacts {
  /** The mount of the running root; undefined when there is none to be seen. */
  root: Mount | undefined;
  kernelCommandLine: readonly string[];
  /** The text of /etc/fstab. */
  fstab: string;
  /** Id of the default subvolume; 5 is the top level. */
  defaultSubvolume: number;
}

export interface SwitchableLayout {
  by: 'name' | 'default';
  device: string;
  name: string;
  id: number;
}

export type Layout = SwitchableLayout | { by: 'nothing'; reason: string };

/** One that was found on the machine. */
export interface UsableLayout extends SwitchableLayout {
  /** Subvolumes in it, all empty but snapper's: paths below the top level. */
  nested: readonly string[];
  /** What it was told from, in words. */
  told: string;
}

const TOP_LEVEL_ID = 5;
const ROOT_FLAGS = 'rootflags=';

export function analyseLayout({ root, kernelCommandLine, fstab, defaultSubvolume }: LayoutFacts): Layout {
  if (root?.type !== 'btrfs') return nothing(`/ is ${root?.type ?? 'no mount'}, not btrfs`);
  const id = Number(lastValue(root.options, 'subvolid'));
  const name = withoutSlashes(lastValue(root.options, 'subvol') ?? '');
  if (!Number.isInteger(id)) return nothing('the kernel does not tell which subvolume / is');
  if (name === '') return nothing('/ is the top level of its file system, not a subvolume');
  if (withoutSlashes(root.root) !== name) return nothing('/ is a folder in a subvolume');

  const [flags, entry] = [rootFlags(kernelCommandLine), fstabOptions(fstab)];
  // The exchange would not act: the id stays with the subvolume, whatever its name is.
  if (lastValue(flags, 'subvolid') !== undefined) return nothing('the kernel command line says subvolid=');
  if (lastValue(entry, 'subvolid') !== undefined) return nothing('/etc/fstab mounts / by subvolid=');

  const device = root.source;
  const byKernel = subvolumeIn(flags);
  const byFstab = subvolumeIn(entry);
  if (byKernel !== undefined && byFstab !== undefined && byKernel !== byFstab) {
    return nothing(`the kernel command line says subvol=${byKernel}, /etc/fstab says subvol=${byFstab}`);
  }
  const wanted = byKernel ?? byFstab;
  if (wanted === undefined) {
    return defaultSubvolume === id
      ? { by: 'default', device, name, id }
      : nothing(`nothing says that ${name} boots: no subvol= anywhere, and another default subvolume`);
  }
  if (wanted !== name) return nothing(`subvol=${wanted} boots, but / is ${name} now`);
  if (name.includes('/')) return nothing(`the subvolume ${name} is not at the top level`);
  // Nobody but an initrd that reads fstab can have mounted it: the kernel alone would have mounted the default one.
  if (byKernel === undefined && defaultSubvolume !== TOP_LEVEL_ID) {
    return nothing('/etc/fstab says subvol= and there is a default subvolume: unclear which one counts');
  }
  // initramfs-tools takes the last word alone, dracut and systemd add them up.
  const last = kernelCommandLine.findLast((word) => word.startsWith(ROOT_FLAGS)) ?? '';
  if (
    byKernel !== undefined &&
    subvolumeIn(rootFlags([last])) === undefined &&
    defaultSubvolume !== TOP_LEVEL_ID
  ) {
    return nothing(
      'of several rootflags= on the kernel command line the last one says no subvol=, and there is a default subvolume: unclear which one counts',
    );
  }
  return { by: 'name', device, name, id };
}

/** Who says which subvolume boots, where somebody does. */
export function bootWords({
  kernelCommandLine,
  fstab,
}: Pick<LayoutFacts, 'kernelCommandLine' | 'fstab'>): { where: string; subvolume: string }[] {
  const said = [
    { where: 'the kernel command line', subvolume: subvolumeIn(rootFlags(kernelCommandLine)) },
    { where: '/etc/fstab', subvolume: subvolumeIn(fstabOptions(fstab)) },
  ];
  return said.flatMap(({ where, subvolume }) => (subvolume === undefined ? [] : [{ where, subvolume }]));
}

function rootFlags(kernelCommandLine: readonly string[]): string[] {
  return kernelCommandLine.flatMap((word) =>
    word.startsWith(ROOT_FLAGS) ? word.slice(ROOT_FLAGS.length).split(',') : [],
  );
}

function subvolumeIn(options: readonly string[]): string | undefined {
  const value = lastValue(options, 'subvol');
  return value === undefined ? undefined : withoutSlashes(value);
}

function nothing(reason: string): Layout {
  return { by: 'nothing', reason };
}

/** Of options such as `subvol=/@`: the last one wins, as with mount(8). */
function lastValue(options: readonly string[], key: string): string | undefined {
  return options.findLast((option) => option.startsWith(`${key}=`))?.slice(key.length + 1);
}

/** The mount options of `/` in an fstab(5). */
function fstabOptions(fstab: string): string[] {
  const entries = fstab
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .map((line) => line.trim().split(/\s+/));
  return entries.findLast(([, target]) => target === '/')?.[3]?.split(',') ?? [];
}

function withoutSlashes(name: string): string {
  return name.replace(/^\/+|\/+$/g, '');
}
