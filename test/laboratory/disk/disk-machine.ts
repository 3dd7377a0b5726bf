import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { BootOptions, BootRecord } from '../boot.js';
import { command } from '../command.js';
import { LaboratoryError } from '../laboratory-error.js';
import type { MachineFolder } from '../machine-folder.js';
import { makeEmptyFolder } from '../machine-folder.js';
import { Machine } from '../machine.js';

export type DiskFileSystem = 'btrfs' | 'ext4';

/** So long may a disk be in use after all that used it was killed. */
const releaseSeconds = 60;

/** Mounts all of a file system read-write, as a boot would, so that its journal is replayed. Resolves with the device. */
export async function mountDisk(file: string, fileSystem: DiskFileSystem, at: string): Promise<string> {
  const mount = `mount -t ${fileSystem} -o loop,noatime${fileSystem === 'btrfs' ? ',subvolid=5' : ''} "$1" "$2"`;
  // Copies of one btrfs are the same one to the kernel, and an older one would be refused.
  const forget = fileSystem === 'btrfs' ? 'btrfs device scan --forget && ' : '';
  const line = `${forget}${mount} && findmnt --noheadings --output=SOURCE "$2"`;
  const { stdout } = await command(['/bin/sh', '-c', line, 'sh', file, at]);
  return stdout.trim();
}

/** The root that boots, in a file system that is mounted at `top`. */
export function rootOf(top: string, fileSystem: DiskFileSystem): string {
  return fileSystem === 'btrfs' ? join(top, '@') : top;
}

/**
 * A machine whose root is the file system in a file: all of an ext4, or of a btrfs the subvolume that is named `@` at the
 * moment of the boot. It sees the block device. `dispose()` unmounts the file and leaves it there.
 */
export class DiskMachine extends Machine {
  /** Where all of the file system is mounted. */
  readonly top: string;
  readonly #file: string;
  readonly #device: string;

  private constructor(folder: MachineFolder, file: string, device: string) {
    super({ folders: [] }, folder, folder.path);
    this.top = join(folder.path, 'top');
    [this.#file, this.#device] = [file, device];
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
      if (fileSystem === 'btrfs') {
        await command(['btrfs', 'subvolume', 'create', rootOf(machine.top, fileSystem)]);
      }
      await command(['cp', '--archive', `${source}/.`, machine.root]);
      const entry = fileSystem === 'btrfs' ? 'btrfs defaults,noatime,subvol=@' : 'ext4 defaults,noatime';
      await machine.write('/etc/fstab', `LABEL=system / ${entry} 0 0\n`);
    } finally {
      await machine.dispose();
    }
  }

  /** Throws when it cannot be mounted. */
  static async mount(file: string, fileSystem: DiskFileSystem): Promise<DiskMachine> {
    const folder = await makeEmptyFolder({ unmountsEverywhere: true });
    const top = join(folder.path, 'top');
    await mkdir(top);
    try {
      const device = await mountDisk(file, fileSystem, top);
      await symlink(rootOf('top', fileSystem), join(folder.path, 'root'));
      return new DiskMachine(folder, file, device);
    } catch (error) {
      folder.remove();
      throw error;
    }
  }

  /** Returns when nobody has the file in use any more: a killed container lets go of its mounts by and by. */
  override async dispose(): Promise<void> {
    await super.dispose();
    const end = performance.now() + 1000 * releaseSeconds;
    while ((await command(['losetup', '--associated', this.#file])).stdout !== '') {
      if (performance.now() > end) throw new LaboratoryError(`${this.#file} is still in use`);
      await pause(20);
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
