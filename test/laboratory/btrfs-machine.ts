import { mkdir, readdir, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { BootOptions, BootRecord } from './boot.js';
import { command } from './command.js';
import type { ContainerOptions } from './container.js';
import { startSlowDisk, type SlowFlushes } from './disk/slow-disk.js';
import type { MachineFolder } from './machine-folder.js';
import { makeEmptyFolder } from './machine-folder.js';
import type { Layer } from './machine.js';
import { Machine } from './machine.js';

export interface BtrfsOptions {
  /** How the next boot finds its root: whatever is named `@`, as with `subvol=@`, or the default subvolume. */
  boots?: 'name' | 'default';
  megabytes?: number;
  /** /boot and the EFI system partition (/boot/efi) are file systems of their own, ext4 both. */
  ownBoot?: boolean;
  /**
   * Where the image lies: in memory, where a flush costs nothing, or on the disk, past the page cache of the host; there with
   * slow flushes, too.
   */
  on?: 'memory' | 'disk' | SlowFlushes;
}

/**
 * A machine whose root is the subvolume `@` of a btrfs image. Each boot starts what its boot loader would: `root` is a
 * symbolic link to it. The machine sees the block device, so that it can mount the top level itself.
 */
export class BtrfsMachine extends Machine {
  readonly top: string;
  readonly #device: string;
  readonly #boots: 'name' | 'default';
  readonly #link: string;
  readonly #mounts: readonly string[];

  private constructor(
    layer: Layer,
    folder: MachineFolder,
    device: string,
    { boots = 'name', ownBoot = false }: BtrfsOptions,
  ) {
    super(layer, folder, join(folder.path, 'storage'));
    this.top = join(folder.path, 'top');
    this.#link = join(folder.path, 'root');
    [this.#device, this.#boots, this.#mounts] = [device, boots, ownBoot ? ['boot', 'efi'] : []];
  }

  /** Copies a machine of `layer` into a new image. */
  static async make(layer: Layer, options: BtrfsOptions = {}): Promise<BtrfsMachine> {
    const boots = options.boots ?? 'name';
    const folder = await makeEmptyFolder();
    const [disk, top] = [join(folder.path, 'disk'), join(folder.path, 'top')];
    const image = join(disk, 'image');
    for (const each of [disk, top, join(folder.path, 'default')]) await mkdir(each);
    const { on = 'memory' } = options;
    if (on === 'memory') await command(['mount', '-t', 'tmpfs', 'laboratory', disk]);
    await command(['truncate', `--size=${options.megabytes ?? 4096}M`, image]);
    await command(['mkfs.btrfs', '--quiet', image]);
    const file = typeof on === 'object' ? await startSlowDisk(image, on) : image;
    await command(['mount', '-o', 'loop,noatime,subvolid=5', file, top]);
    await command(['btrfs', 'subvolume', 'create', join(top, '@')]);
    const source = await Machine.on(layer);
    await command(['cp', '--archive', `${source.root}/.`, join(top, '@')]);
    await source.dispose();
    const { stdout: device } = await command(['findmnt', '--noheadings', '--output=SOURCE', top]);
    if (on !== 'memory') await command(['losetup', '--direct-io=on', device.trim()]);
    const machine = new BtrfsMachine(layer, folder, device.trim(), options);
    for (const name of machine.#mounts) {
      const file = join(disk, `${name}.image`);
      await mkdir(join(folder.path, name));
      await command(['truncate', '--size=64M', file]);
      await command(['mkfs.ext4', '-q', file]);
      await command(['mount', '-o', 'loop,noatime', file, join(folder.path, name)]);
      await command(['rmdir', join(folder.path, name, 'lost+found')]);
    }
    if (machine.#mounts.length > 0) await mkdir(join(folder.path, 'boot/efi'));
    if (boots === 'name') {
      await symlink('top/@', machine.#link);
      await machine.write('/etc/fstab', 'LABEL=system / btrfs defaults,noatime,subvol=@ 0 0\n');
    } else {
      await command(['btrfs', 'subvolume', 'set-default', join(top, '@')]);
      await symlink('default', machine.#link);
      await machine.#mountDefault();
    }
    return machine;
  }

  /** The folder outside of the machine that is its /boot, or its /boot/efi. */
  bootFolder(name: 'boot' | 'efi' = 'boot'): string {
    return join(this.top, '..', name);
  }

  /** Remembers what the root is now; `restore` brings it back, and takes all other subvolumes away. */
  async remember(): Promise<void> {
    await this.#delete((name) => name === 'remembered');
    await command(['btrfs', 'subvolume', 'snapshot', this.root, join(this.top, 'remembered')]);
  }

  async restore(): Promise<void> {
    await this.kill();
    if (this.#boots === 'default') {
      await command(['umount', join(this.top, '../default')]);
      await command(['btrfs', 'subvolume', 'set-default', '5', this.top]);
    }
    await this.#delete((name) => name.split('/')[0] !== 'remembered');
    await command(['btrfs', 'subvolume', 'snapshot', join(this.top, 'remembered'), join(this.top, '@')]);
    if (this.#boots === 'name') return;
    await command(['btrfs', 'subvolume', 'set-default', join(this.top, '@')]);
    await this.#mountDefault();
  }

  /** The names at the top level that are subvolumes, without the remembered one. */
  async subvolumes(): Promise<string[]> {
    const names = await readdir(this.top);
    return names.filter((name) => !name.startsWith('.') && name !== 'remembered').sort();
  }

  /** At the top level, as another tool or a person makes them. */
  async makeSubvolumes(...names: string[]): Promise<void> {
    for (const name of names) await command(['btrfs', 'subvolume', 'create', join(this.top, name)]);
  }

  /** What another hand did to the boot: the two roots of an update have changed their names. */
  async exchange(): Promise<void> {
    const [, other = ''] = await this.subvolumes();
    const steps = [
      ['@', 'between'],
      [other, '@'],
      ['between', other],
    ] as const;
    for (const [from, to] of steps) await rename(join(this.top, from), join(this.top, to));
  }

  /** Takes a file out of one root while the machine is off, whichever boots next. */
  async removeIn(root: string, inside: string): Promise<void> {
    await rm(join(this.top, root, inside), { force: true });
  }

  override async boot(options: BootOptions = {}): Promise<BootRecord> {
    await this.#mountDefault();
    return super.boot(this.#withDevice(options));
  }

  override async start(options: BootOptions = {}): Promise<BootRecord> {
    await this.#mountDefault();
    return super.start(this.#withDevice(options));
  }

  /** As that of `Machine`, but the root is looked up anew for each boot. */
  override async bootUntilSettled(options: BootOptions & { maxBoots?: number } = {}): Promise<BootRecord[]> {
    if (this.#boots === 'name') return super.bootUntilSettled(this.#withDevice(options));
    const first = await this.boot(options);
    return first.ended === 'reboot' ? [first, await this.start()] : [first];
  }

  #withDevice<Options extends ContainerOptions>(options: Options): Options {
    const places = this.#mounts.map(
      (name) => `--bind=${this.bootFolder(name as 'boot')}:/boot${name === 'boot' ? '' : `/${name}`}`,
    );
    return { ...options, args: [...(options.args ?? []), `--bind=${this.#device}`, ...places] };
  }

  async #mountDefault(): Promise<void> {
    if (this.#boots === 'name') return;
    const at = join(this.top, '../default');
    await command(['umount', at], { check: false });
    await command(['mount', '-o', 'noatime', this.#device, at]);
  }

  async #delete(which: (path: string) => boolean): Promise<void> {
    const { stdout } = await command(['btrfs', 'subvolume', 'list', this.top]);
    const paths = stdout.split('\n').flatMap((line) => line.split(' path ')[1] ?? []);
    for (const path of paths.filter(which).sort().reverse()) {
      await command(['btrfs', 'subvolume', 'delete', join(this.top, path)]);
    }
  }
}
