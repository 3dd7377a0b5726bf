import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { command, type CommandOptions, type CommandOutput } from './command.js';
import { mountDisk, type DiskLayout } from './disk-image.js';
import { Emulator, isEmulatorsFault, type EmulatorEnd, type EmulatorOptions } from './emulator.js';
import { LaboratoryError } from './laboratory-error.js';
import { makeEmptyFolder, type MachineFolder } from './machine-folder.js';
import { readTree, type Tree, type TreeOptions } from './machine-tree.js';
import { monotonicSeconds } from './container.js';

/** `up`: it has not ended, its shell is ready and nothing more is to be started. */
export type VirtualEnd = EmulatorEnd | 'up';

export interface VirtualBoot {
  ended: VirtualEnd;
  seconds: number;
  console: readonly string[];
}

export interface VirtualBootOptions extends Pick<EmulatorOptions, 'serial' | 'kernel'> {
  /** Killed at the first line of the console that matches. */
  killAt?: RegExp;
  /** Default 1800: an emulated processor on a busy host. It is killed then, and the boot has `ended: 'timeout'`. */
  timeoutSeconds?: number;
}

const firmware = { code: '/usr/share/OVMF/OVMF_CODE.fd', variables: '/usr/share/OVMF/OVMF_VARS.fd' };

/** A machine with a disk, a firmware, a boot loader and a kernel of its own. All is gone after `dispose()`. */
export class VirtualMachine {
  readonly layout: DiskLayout;
  #folder: MachineFolder;
  #emulator: Emulator | undefined;

  private constructor(layout: DiskLayout, folder: MachineFolder) {
    [this.layout, this.#folder] = [layout, folder];
  }

  /** With a copy of the disk `image`; see `makeDiskImage`. */
  static async of(image: string, layout: DiskLayout): Promise<VirtualMachine> {
    const folder = await makeEmptyFolder();
    const machine = new VirtualMachine(layout, folder);
    await copy(image, machine.#disk);
    if (layout.firmware === 'uefi') await copyFile(firmware.variables, machine.#variables);
    return machine;
  }

  get #disk(): string {
    return join(this.#folder.path, 'disk.raw');
  }

  get #variables(): string {
    return join(this.#folder.path, 'variables.fd');
  }

  /** The machine as it is now, which is off. */
  async copy(): Promise<VirtualMachine> {
    this.#mustBeOff();
    return VirtualMachine.of(this.#disk, this.layout);
  }

  async saveTo(image: string): Promise<void> {
    this.#mustBeOff();
    await copy(this.#disk, image);
  }

  /** Lets `action` see its files while it is off. */
  async files<T>(action: (root: string) => Promise<T>): Promise<T> {
    this.#mustBeOff();
    return mountDisk(this.#disk, this.layout, join(this.#folder.path, 'root'), action);
  }

  tree(options: TreeOptions = {}): Promise<Tree> {
    return this.files((root) => readTree(root, options));
  }

  /** One boot to its end, or until it is up; then it goes on running. */
  async boot(options: VirtualBootOptions = {}): Promise<VirtualBoot> {
    const boot = await this.#bootOnce(options);
    return boot.ended === 'reboot' && isEmulatorsFault(boot.console) ? this.#bootOnce(options) : boot;
  }

  async #bootOnce(options: VirtualBootOptions): Promise<VirtualBoot> {
    this.#mustBeOff();
    const { killAt, timeoutSeconds = 1800, ...others } = options;
    const uefi = this.layout.firmware === 'uefi' && { ...firmware, variables: this.#variables };
    const emulator = new Emulator(this.#folder.path, { disk: this.#disk, ...(uefi && { uefi }), ...others });
    this.#emulator = emulator;
    const timeout = setTimeout(() => {
      emulator.kill('timeout');
    }, timeoutSeconds * 1000);
    if (killAt) {
      void emulator.waitForConsole(killAt).then((line) => {
        if (line !== undefined) emulator.kill();
      });
    }
    const forget = () => {
      this.#emulator = undefined;
    };
    void emulator.exited.then(forget, forget);
    const settled = async () => {
      if (!(await emulator.ready)) return emulator.exited;
      // Fails only when the machine ends meanwhile.
      const isUp = emulator.exec('systemctl is-system-running --wait').then(() => 'up' as const);
      return isUp.catch(() => emulator.exited);
    };
    const ended = await Promise.race([settled(), emulator.exited]).finally(() => {
      clearTimeout(timeout);
    });
    const seconds = monotonicSeconds() - emulator.startedSeconds;
    return { ended, seconds, console: emulator.console };
  }

  /** Boots until it is up. Throws when it ends before. */
  async start(options: VirtualBootOptions = {}): Promise<VirtualBoot> {
    const boot = await this.boot(options);
    if (boot.ended === 'up') return boot;
    throw new LaboratoryError(`the machine is not up: ${boot.ended}\n${boot.console.slice(-60).join('\n')}`);
  }

  /** Boots again until a boot does not end in a reboot; `options` are for each boot. At most `maxBoots` (default 4). */
  async bootUntilSettled(options: VirtualBootOptions = {}, maxBoots = 4): Promise<VirtualBoot[]> {
    const boots: VirtualBoot[] = [];
    while (boots.length < maxBoots && (boots.at(-1)?.ended ?? 'reboot') === 'reboot') {
      boots.push(await this.boot(options));
    }
    return boots;
  }

  /** Runs a script in a machine that is up. */
  async exec(script: string, { check = true }: Pick<CommandOptions, 'check'> = {}): Promise<CommandOutput> {
    const emulator = this.#emulator;
    if (!emulator) throw new LaboratoryError('the machine is off');
    const output = await emulator.exec(script);
    if (!check || output.exitCode === 0) return output;
    throw new LaboratoryError(
      `${script}\nended with ${output.exitCode ?? '?'}\n${output.stdout}${output.stderr}`,
    );
  }

  /** Waits for the end of the boot that is going on. */
  async end(): Promise<VirtualEnd> {
    if (!this.#emulator) throw new LaboratoryError('the machine is off');
    return this.#emulator.exited;
  }

  /** Powers it off and waits for its end. */
  async stop(): Promise<void> {
    const emulator = this.#emulator;
    if (!emulator) return;
    await emulator.exec('systemctl --no-block poweroff').catch(() => undefined);
    const end = await emulator.exited;
    if (end !== 'poweroff') throw emulator.failure(`power off ended with ${end}`);
  }

  async kill(): Promise<void> {
    const emulator = this.#emulator;
    emulator?.kill();
    await emulator?.exited;
  }

  async dispose(): Promise<void> {
    await this.kill();
    this.#folder.remove();
  }

  #mustBeOff(): void {
    if (this.#emulator) throw new LaboratoryError('the machine is running');
  }
}

/** A few hundred MB in a file of some GB. */
async function copy(from: string, to: string): Promise<void> {
  await command(['cp', '--sparse=always', '--reflink=auto', from, to]);
}
