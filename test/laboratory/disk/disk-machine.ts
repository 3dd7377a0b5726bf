import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { BootOptions, BootRecord } from '../boot.js';
import { command } from '../command.js';
import type { MachineFolder } from '../machine-folder.js';
import { makeEmptyFolder } from '../machine-folder.js';
import { Machine } from '../machine.js';

export type DiskFileSystem = 'btrfs' | 'ext4';

/**
 * A machine whose root is the file system in a file: all of an ext4, or of a btrfs the subvolume that is named `@` at the
 * moment of the boot. It sees the block device. The file is mounted read-write, as a boot would do it, so that a journal is
 * replayed; `dispose()` unmounts it and leaves it there.
 */
export class DiskMachine extends Machine {
  /** Where all of the file system is mounted. */
  readonly top: string;
  readonly #device: string;

  private constructor(folder: MachineFolder, device: string) {
    super({ folders: [] }, folder, folder.path);
    this.top = join(folder.path, 'top');
    this.#device = device;
  }

  /** Makes the file system in a new file, with a copy of everything below `source`. */
  static async format(
    file: string,
    fileSystem: DiskFileSystem,
    megabytes: number,
    source: string,
  ): Promise<void> {
    await command(['truncate', `--size=${megabytes}M`, file]);
    // Nothing that the kernel would do later, in the midst of what is tested.
    const now = ['-q', '-E', 'lazy_itable_init=0,lazy_journal_init=0'];
    await command(fileSystem === 'btrfs' ? ['mkfs.btrfs', '--quiet', file] : ['mkfs.ext4', ...now, file]);
    const machine = await DiskMachine.mount(file, fileSystem);
    try {
      if (fileSystem === 'btrfs') await command(['btrfs', 'subvolume', 'create', join(machine.top, '@')]);
      await command(['cp', '--archive', `${source}/.`, machine.root]);
      const entry = fileSystem === 'btrfs' ? 'btrfs defaults,noatime,subvol=@' : 'ext4 defaults,noatime';
      await machine.write('/etc/fstab', `LABEL=system / ${entry} 0 0\n`);
    } finally {
      await machine.dispose();
    }
  }

  /** Throws when it cannot be mounted. */
  static async mount(file: string, fileSystem: DiskFileSystem): Promise<DiskMachine> {
    const folder = await makeEmptyFolder();
    const top = join(folder.path, 'top');
    await mkdir(top);
    try {
      // Copies of one btrfs are the same one to the kernel, and an older one would be refused.
      if (fileSystem === 'btrfs') await command(['btrfs', 'device', 'scan', '--forget']);
      const options = fileSystem === 'btrfs' ? 'loop,noatime,subvolid=5' : 'loop,noatime';
      await command(['mount', '-t', fileSystem, '-o', options, file, top]);
      await symlink(fileSystem === 'btrfs' ? 'top/@' : 'top', join(folder.path, 'root'));
      const { stdout: device } = await command(['findmnt', '--noheadings', '--output=SOURCE', top]);
      return new DiskMachine(folder, device.trim());
    } catch (error) {
      folder.remove();
      throw error;
    }
  }

  override boot(options: BootOptions = {}): Promise<BootRecord> {
    return super.boot(this.#withDevice(options));
  }

  override start(options: BootOptions = {}): Promise<BootRecord> {
    return super.start(this.#withDevice(options));
  }

  override bootUntilSettled(options: BootOptions & { maxBoots?: number } = {}): Promise<BootRecord[]> {
    return super.bootUntilSettled(this.#withDevice(options));
  }

  #withDevice<Options extends BootOptions>(options: Options): Options {
    return { ...options, args: [...(options.args ?? []), `--bind=${this.#device}`] };
  }
}
