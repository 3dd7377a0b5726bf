/** The disks of the machine that all take turns on: for each file system one image a kind of disk, put back before each run. */
import { command } from '../../test/laboratory/command.js';
import { BtrfsMachine, ImageMachine, type Layer, type Machine } from '../../test/laboratory/laboratory.js';
import { measureFlushes, type FlushCost } from './flush-cost.js';

export type FileSystemName = 'btrfs' | 'ext4';
/**
 * `fast`: a loop device over a file, through the page cache of the host. `flushes`: past that cache (`--direct-io=on`),
 * each write and each flush goes to the disk itself. `slow-flushes`: the same with flushes that take at least as long
 * as they are told to, as those of a disk with a volatile cache do.
 */
export type DiskName = 'fast' | 'flushes' | 'slow-flushes';
export const diskNames: readonly DiskName[] = ['fast', 'flushes', 'slow-flushes'];

/**
 * Of a flush of `slow-flushes`. Write and fdatasync of 8 KiB take 1.6 ms on a Samsung 990 PRO, fsync 0.9 to 5.4 ms on
 * consumers' SSDs and 3.5 ms on a 960 Pro [tanelpoder.com, 2025-05-27; smalldatum.blogspot.com, 2026-01-07;
 * percona.com/blog, 2018-07-18]; a hard disk of 7200 rpm turns once in 8.3 ms.
 */
export const usualFlushMilliseconds = 2;

export function aboutSlowFlushes(flushMilliseconds: number): string {
  return `slow flushes: a disk whose flush takes at least ${flushMilliseconds} ms, made with FUSE passthrough: reads and writes are the kernel's own, flushes are made and held back`;
}

export interface PeerDisk {
  machine: Machine;
  /** The machine is off and as it was; returns the block device below its root. */
  restore(disk: DiskName): Promise<string>;
  /** What a flush costs on it, measured on the machine as it is. */
  measure(disk: DiskName): Promise<FlushCost>;
}

export interface PeerDisks {
  /** Made when it is asked for the first time. Throws when this machine cannot have it. */
  for(disk: DiskName): Promise<PeerDisk>;
  dispose(): Promise<void>;
}

const megabytes = 6144;

export function peerDisks(type: FileSystemName, layer: Layer, flushMilliseconds: number): PeerDisks {
  const made = new Map<string, Promise<PeerDisk>>();
  return {
    for(disk) {
      const kind = disk === 'slow-flushes' ? disk : 'plain';
      const there =
        made.get(kind) ?? makePeerDisk(type, layer, kind === 'plain' ? undefined : flushMilliseconds);
      made.set(kind, there);
      return there;
    },
    async dispose() {
      for (const each of await Promise.allSettled(made.values()))
        if (each.status === 'fulfilled') await each.value.machine.dispose();
    },
  };
}

async function makePeerDisk(
  type: FileSystemName,
  layer: Layer,
  flushMilliseconds: number | undefined,
): Promise<PeerDisk> {
  const on = flushMilliseconds === undefined ? 'disk' : { flushMilliseconds };
  const machine =
    type === 'btrfs'
      ? await BtrfsMachine.make(layer, { on, megabytes })
      : await ImageMachine.make(layer, { type, storage: on, megabytes });
  await machine.remember();
  const restore = async (disk: DiskName): Promise<string> => {
    await machine.restore();
    const device = await deviceOf(machine.root);
    await command(['losetup', `--direct-io=${disk === 'fast' ? 'off' : 'on'}`, device]);
    await command(['sync']);
    return device;
  };
  return {
    machine,
    restore,
    measure: async (disk) => measureFlushes(await restore(disk), machine.root),
  };
}

/** findmnt tells a subvolume in brackets. */
async function deviceOf(root: string): Promise<string> {
  const { stdout } = await command(['findmnt', '--noheadings', '--output=SOURCE', '--target', `${root}/`]);
  return stdout.trim().replace(/\[.*$/, '');
}
