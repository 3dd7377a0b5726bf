/** The disk of the machine that all take turns on: one image a file system, put back before each run. */
import { command } from '../../test/laboratory/command.js';
import { BtrfsMachine, ImageMachine, type Layer, type Machine } from '../../test/laboratory/laboratory.js';

export type FileSystemName = 'btrfs' | 'ext4';
/**
 * `fast`: a loop device over a file, through the page cache of the host. `flushes`: past that cache (`--direct-io=on`),
 * each write and each flush goes to the disk itself.
 */
export type DiskName = 'fast' | 'flushes';

export interface PeerDisk {
  machine: Machine;
  /** The machine is off and as it was; returns the block device below its root. */
  restore(disk: DiskName): Promise<string>;
}

const megabytes = 6144;

export async function makePeerDisk(type: FileSystemName, layer: Layer): Promise<PeerDisk> {
  const machine =
    type === 'btrfs'
      ? await BtrfsMachine.make(layer, { on: 'disk', megabytes })
      : await ImageMachine.make(layer, { type, storage: 'disk', megabytes });
  await machine.remember();
  return {
    machine,
    async restore(disk) {
      await machine.restore();
      const device = await deviceOf(machine.root);
      await command(['losetup', `--direct-io=${disk === 'flushes' ? 'on' : 'off'}`, device]);
      await command(['sync']);
      return device;
    },
  };
}

/** findmnt tells a subvolume in brackets. */
async function deviceOf(root: string): Promise<string> {
  const { stdout } = await command(['findmnt', '--noheadings', '--output=SOURCE', '--target', `${root}/`]);
  return stdout.trim().replace(/\[.*$/, '');
}
