import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { command } from './command.js';
import { letSlowDiskGo, startSlowDisk, type SlowFlushes } from './disk/slow-disk.js';
import type { MachineFolder } from './machine-folder.js';
import { makeEmptyFolder } from './machine-folder.js';
import type { Layer } from './machine.js';
import { Machine } from './machine.js';

export interface ImageOptions {
  type: 'ext4' | 'xfs';
  megabytes?: number;
  /**
   * Default memory. On disk where the time of a sync counts; `direct`: past the page cache of the host; there with slow
   * flushes, too.
   */
  storage?: 'memory' | 'disk' | 'direct' | SlowFlushes;
}

/** A machine whose root is a file system of its own in an image, with all that an overlay has not: hard links, reflinks. */
export class ImageMachine extends Machine {
  readonly #image: string;
  readonly #storage: NonNullable<ImageOptions['storage']>;

  private constructor(
    layer: Layer,
    folder: MachineFolder,
    image: string,
    { storage = 'memory' }: ImageOptions,
  ) {
    super(layer, folder, join(folder.path, 'storage'));
    [this.#image, this.#storage] = [image, storage];
  }

  /** Copies a machine of `layer` into a new image. */
  static async make(layer: Layer, options: ImageOptions): Promise<ImageMachine> {
    const folder = await makeEmptyFolder({ unmountsEverywhere: true });
    const [disk, root] = [join(folder.path, 'disk'), join(folder.path, 'root')];
    for (const each of [disk, root]) await mkdir(each);
    if ((options.storage ?? 'memory') === 'memory')
      await command(['mount', '-t', 'tmpfs', 'laboratory', disk]);
    const machine = new ImageMachine(layer, folder, join(disk, 'image'), options);
    await command(['truncate', `--size=${options.megabytes ?? 2048}M`, machine.#image]);
    await command([`mkfs.${options.type}`, '-q', machine.#image]);
    await machine.#mount();
    const source = await Machine.on(layer);
    await command(['cp', '--archive', `${source.root}/.`, root]);
    await source.dispose();
    return machine;
  }

  /** Remembers what the disk holds now; `restore` brings it back. */
  async remember(): Promise<void> {
    // Whoever started a process meanwhile may have a copy of the mount, and keep it: what was written has to be there.
    await command(['sync', '--file-system', this.root]);
    await this.#unmount();
    await command(['cp', '--sparse=always', this.#image, `${this.#image}.remembered`]);
    await this.#mount();
  }

  async restore(): Promise<void> {
    await this.kill();
    await this.#unmount();
    // A new file: one who still has the old one mounted writes there.
    await rm(this.#image);
    await command(['cp', '--sparse=always', `${this.#image}.remembered`, this.#image]);
    await this.#mount();
  }

  async #mount(): Promise<void> {
    const storage = this.#storage;
    const slow = typeof storage === 'object';
    const file = slow ? await startSlowDisk(this.#image, storage) : this.#image;
    await command(['mount', '-o', 'loop,noatime', file, this.root]);
    if (!slow && storage !== 'direct') return;
    const { stdout: device } = await command(['findmnt', '--noheadings', '--output=SOURCE', this.root]);
    await command(['losetup', '--direct-io=on', device.trim()]);
  }

  async #unmount(): Promise<void> {
    await command(['umount', this.root]);
    if (typeof this.#storage === 'object') await letSlowDiskGo(this.#image);
  }
}
