import { basename, join } from 'node:path';
import type { BootOptions, BootRecord } from './boot.js';
import { watchBoot } from './boot.js';
import type { CommandOptions, CommandOutput } from './command.js';
import { argvOf, command } from './command.js';
import type { ContainerOptions, ExecOptions } from './container.js';
import { Container } from './container.js';
import { ControlGroup } from './control-group.js';
import { LaboratoryError } from './laboratory-error.js';
import type { JournalOptions, JournalRow } from './machine-journal.js';
import { readJournal } from './machine-journal.js';
import type { MachineFolder, StorageOptions } from './machine-folder.js';
import { makeMachineFolder, unmountRoot } from './machine-folder.js';
import type { Tree, TreeOptions } from './machine-tree.js';
import { hashOfTree, readTree } from './machine-tree.js';
import { RootFiles } from './root-files.js';

/** A root that is never written again: folders, top first, that machines are stacked on. */
export interface Layer {
  readonly folders: readonly string[];
}

export interface RunOptions extends Omit<CommandOptions, 'cwd' | 'env'> {
  env?: Record<string, string>;
  /** Share the network of the host. Default false. */
  network?: boolean;
  args?: readonly string[];
}

/**
 * A Debian system of its own: a root that is an overlay over a layer, made in milliseconds, booted by systemd-nspawn.
 * All paths are those inside the machine. Everything is gone after `dispose()`, and at the latest when the process exits.
 */
export class Machine extends RootFiles {
  #layer: Layer;
  #folder: MachineFolder;
  #storage: string;
  #container: Container | undefined;
  #options: BootOptions = {};

  protected constructor(layer: Layer, folder: MachineFolder, storage: string) {
    super(join(folder.path, 'root'));
    [this.#layer, this.#folder, this.#storage] = [layer, folder, storage];
  }

  static async on(layer: Layer, options: StorageOptions = {}): Promise<Machine> {
    const folder = await makeMachineFolder(layer.folders, options);
    return new Machine(layer, folder, options.storageFolder ?? join(folder.path, 'storage'));
  }

  /** Runs a command in the machine while it is not booted, as in a chroot, but with its own /dev, /proc and no network. */
  async run(line: string | readonly string[], options: RunOptions = {}): Promise<CommandOutput> {
    if (this.#container) throw new LaboratoryError('the machine is booted: use exec');
    const environment = Object.entries(options.env ?? {}).map(([name, value]) => `--setenv=${name}=${value}`);
    const fixed = ['--quiet', '--register=no', '--keep-unit', '--pipe', `--machine=${this.#name}`];
    const network = options.network === true ? [] : ['--private-network'];
    const own = [...fixed, ...network, ...environment, ...(options.args ?? []), `--directory=${this.root}`];
    const group = new ControlGroup(`${this.#name}-run`);
    try {
      return await command(group.commandLine(['systemd-nspawn', ...own, '--', ...argvOf(line)]), {
        ...options,
        env: { ...process.env, SYSTEMD_NSPAWN_TMPFS_TMP: '0', SYSTEMD_LOG_LEVEL: 'crit' },
      });
    } finally {
      group.remove();
    }
  }

  get #name(): string {
    return `lab-${basename(this.#folder.path)}`;
  }

  /** The container of a machine that has been started and not yet ended. */
  get container(): Container {
    if (!this.#container) throw new LaboratoryError('the machine is not booted');
    return this.#container;
  }

  #begin(options: ContainerOptions): Container {
    if (this.#container) throw new LaboratoryError('the machine is booted already');
    const container = new Container(this.root, this.#name, options);
    this.#container = container;
    this.#options = options;
    const forget = () => {
      this.#container = undefined;
    };
    container.exited.then(forget, forget);
    return container;
  }

  /** One boot to its end. */
  boot(options: BootOptions = {}): Promise<BootRecord> {
    return watchBoot(this.#begin(options), options, false);
  }

  /** Boots, once, and leaves the machine running. Throws when it ends or is not up in time. */
  async start(options: BootOptions = {}): Promise<BootRecord> {
    const container = this.#begin(options);
    const record = await watchBoot(container, options, true);
    if (record.ended !== 'up')
      throw container.failure(`the machine is not up but ended with ${record.ended}`);
    return record;
  }

  /**
   * Boots again and again until a boot does not end in a reboot: it is `up` (and goes on running), powered off, killed...
   * Throws when that takes more than `maxBoots` (default 4). `killWhen`, `during` and `words` are for the first boot only.
   */
  async bootUntilSettled(options: BootOptions & { maxBoots?: number } = {}): Promise<BootRecord[]> {
    const records: BootRecord[] = [];
    const { killWhen, during, words, ...everyBoot } = options;
    const maxBoots = options.maxBoots ?? 4;
    while (records.length < maxBoots) {
      const first = { ...(killWhen && { killWhen }), ...(during && { during }), ...(words && { words }) };
      const container = this.#begin({ ...everyBoot, ...(records.length === 0 ? first : {}) });
      const record = await watchBoot(container, this.#options, true);
      records.push(record);
      if (record.ended !== 'reboot') return records;
    }
    const ends = records.map((each) => `${each.ended} after ${each.seconds.toFixed(2)} s`).join(', ');
    throw new LaboratoryError(`not settled after ${maxBoots} boots: ${ends}\n${lastConsole(records)}`);
  }

  /** Waits for the end of a machine that was started, for instance when a command in it asks for a reboot. */
  waitForEnd(options: { timeoutSeconds?: number } = {}): Promise<BootRecord> {
    return watchBoot(this.container, options, false);
  }

  /** Runs a command in the booted machine, with a clean environment. */
  exec(line: string | readonly string[], options: ExecOptions = {}): Promise<CommandOutput> {
    return this.container.exec(line, options);
  }

  /** Powers a started machine off and waits for its end. */
  async stop(): Promise<void> {
    const container = this.#container;
    if (!container) return;
    await container.exec(['systemctl', '--no-block', 'poweroff'], { check: false }).catch(() => undefined);
    const record = await watchBoot(container, {}, false);
    if (record.ended !== 'poweroff') throw container.failure(`power off ended with ${record.ended}`);
  }

  /** Kills every process of the machine at once. */
  async kill(): Promise<void> {
    const container = this.#container;
    if (!container) return;
    container.kill();
    await container.exited;
  }

  journal(options: JournalOptions = {}): Promise<JournalRow[]> {
    return readJournal(this.path('/var/log/journal'), options);
  }

  /** Every file of the machine with what it is and holds; compare two by `treeDifference`. */
  tree(options: TreeOptions = {}): Promise<Tree> {
    return readTree(this.root, options);
  }

  async treeHash(options: TreeOptions = {}): Promise<string> {
    return hashOfTree(await this.tree(options));
  }

  /** Ends this machine; what it is now becomes a layer for others. It lives as long as this process. */
  async freeze(): Promise<Layer> {
    if (this.#container) throw new LaboratoryError('stop or kill the machine before it is frozen');
    await unmountRoot(this.#folder);
    return { folders: [join(this.#storage, 'upper'), ...this.#layer.folders] };
  }

  async dispose(): Promise<void> {
    await this.kill();
    this.#folder.remove();
  }
}

function lastConsole(records: readonly BootRecord[]): string {
  return records.at(-1)?.console.slice(-40).join('\n') ?? '';
}
