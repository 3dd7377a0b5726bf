/**
 * A machine on a model disk: the product's own code with ports that end on that disk, and what a boot does with it.
 *
 * The code of the protocol is the real one (trigger, cancel, service, recover, confirm, the generator's decision, the
 * conditions of the units); the shell's claim, the kernel, the package manager and btrfs-progs are modelled.
 */
import { readFileSync } from 'node:fs';
import type { RunCommand } from '../../../src/host/command.js';
import { planGeneration } from '../../../src/generator/generation.js';
import { cancelUpdate } from '../../../src/prepare/cancel.js';
import type { Online } from '../../../src/prepare/online.js';
import { triggerUpdate } from '../../../src/prepare/trigger.js';
import { btrfsSnapshots } from '../../../src/snapshots/btrfs/btrfs.js';
import { noSnapshots } from '../../../src/snapshots/none.js';
import { pathsBelow } from '../../../src/update/paths.js';
import { defaultPolicy } from '../../../src/update/policy.js';
import { updateStore } from '../../../src/update/store.js';
import { readTriggers } from '../../../src/update/trigger-link.js';
import { confirm } from '../../../src/update-service/confirm.js';
import type { Ports } from '../../../src/update-service/ports.js';
import { recover } from '../../../src/update-service/recover.js';
import { runUpdateBoot } from '../../../src/update-service/run.js';
import { btrfsCommand, mountsOf, nameOf, said, TOP_LEVEL } from './btrfs-commands.js';
import { claim } from './claim.js';
import { Disk, RUN, SUPERBLOCK, type Graph } from './disk.js';
import { diskFileSystem } from './disk-file-system.js';
import { effectPorts, newEffects, step, type Effects, type Mutant } from './effects.js';
import { find, type View } from './paths-on-disk.js';
import { goodHealth, nobodyListens, noRehearsal, plainFacts } from './plain-facts.js';
import { grubConfiguration, standInPayload, type Fault } from './stand-in-payload.js';

/** How the root is found: ext4 without a fallback, or btrfs by the name of a subvolume or by the default one. */
export type Layout = 'plain' | 'by name' | 'by default';

export interface MachineOptions {
  layout: Layout;
  fault: Fault;
  mutant?: Mutant | undefined;
  /** Boots that were before: the boot id is made of their count. */
  boots: number;
  told: Told;
  /** After each change that a power cut could take away. */
  onChange: (machine: Machine) => void;
}

/** A verb that has returned has kept its word on the disk, too. */
export type Told = 'nothing' | 'armed' | 'cancelled';

export type BootEnd = 'normal' | 'left the update boot';

const paths = pathsBelow('/');
export const HOOK = `${paths.hooksBefore}/10-note`;
export const hookFile = { path: '/etc/noted-by-hook', text: 'noted by the hook before the install\n' };

export class Machine {
  readonly disk: Disk;
  readonly effects: Effects;
  /** What must not happen, as it happened. */
  readonly problems: string[] = [];
  /** What the person was told last: a power cut must not make it untrue. */
  told: Told;
  boots: number;
  private view: View;

  constructor(
    graph: Graph,
    private readonly options: MachineOptions,
  ) {
    this.disk = new Disk(graph);
    this.disk.onChange = () => {
      options.onChange(this);
    };
    this.effects = newEffects(options.mutant);
    this.boots = options.boots;
    this.told = options.told;
    this.view = this.mountRoot();
  }

  get layout(): Layout {
    return this.options.layout;
  }

  /** The root that is mounted as `/`. */
  get root(): number {
    return find(this.view, '/', true);
  }

  /** The command of a person, in the system that runs. */
  async trigger(): Promise<void> {
    const { service, online } = this.ports('trigger');
    const { fs, payload, snapshots } = service;
    const failedBefore = () => Promise.resolve(undefined);
    const facts = plainFacts(mountsOf(this.view, this.layout !== 'plain'));
    await triggerUpdate(online, {
      machine: { paths, fs, facts, policy: defaultPolicy, payload, snapshots, failedBefore },
      rehearsal: { machine: noRehearsal, isWanted: false, on: () => undefined },
    });
    this.tell('armed');
  }

  async cancel(): Promise<void> {
    this.told = 'nothing';
    await cancelUpdate(this.ports('cancel').online);
    this.tell('cancelled');
  }

  private tell(told: Told): void {
    this.told = told;
    this.effects.current = `told: ${told}`;
    this.options.onChange(this);
  }

  /** An orderly shutdown. */
  shutDown(): void {
    this.disk.syncAll();
  }

  /** One boot to its end, and the orderly shutdown if it asks for one. */
  async boot(): Promise<BootEnd> {
    this.boots += 1;
    this.disk.emptyRun();
    this.view = this.mountRoot();
    const fs = diskFileSystem(this.view);
    const links = await readTriggers(fs, paths.triggers);
    const ours = (kind: string): boolean => kind === 'ours';
    const facts = {
      inInitrd: false,
      trigger: links.find(({ link }) => ours(link.kind))?.path,
      claimed: links.find((each) => ours(each.claimed.kind))?.path,
      foreign: false,
      override: undefined,
      running: false,
    };
    const end = planGeneration(facts).redirect ? await this.updateBoot() : await this.normalBoot();
    if (end !== 'normal') this.shutDown();
    return end;
  }

  private async updateBoot(): Promise<BootEnd> {
    const { service, bootId } = this.ports('claim');
    if ((await claim(service.fs, paths, bootId)) !== 0) this.problems.push('the claim gave up');
    const asked: string[] = [];
    const ports = this.ports('run').service;
    const state = (await ports.store.current())?.journal.state.name;
    if (state === 'prepared' || state === 'none') this.problems.push('an update boot, and nothing is armed');
    const wish = await ports.fs.readFile(paths.action).catch(() => 'nothing');
    if (wish !== 'reboot\n') this.problems.push(`the shell would find as the wished end: ${wish}`);
    const run = runUpdateBoot({
      ...ports,
      askToLeave: () =>
        step(this.effects, 'ask to leave', 'logind', () => {
          asked.push('reboot');
          return Promise.resolve('logind');
        }),
    });
    await run.catch((error: unknown) => this.problems.push(`the rescue is needed: ${told(error)}`));
    if (asked.length === 0) this.problems.push('nobody asked to leave the update boot');
    return 'left the update boot';
  }

  private async normalBoot(): Promise<BootEnd> {
    for (const [unit, verb] of [
      ['recover', recover],
      ['confirm', confirm],
    ] as const) {
      const { service } = this.ports(unit);
      if (!(await this.conditionHolds(`offline-update-${unit}.service`))) continue;
      await verb(service).catch((error: unknown) => this.problems.push(`${unit} failed: ${told(error)}`));
    }
    return 'normal';
  }

  /** systemd.unit(5): of the conditions with `|` one has to hold, of the others all. */
  async conditionHolds(unit: string): Promise<boolean> {
    const fs = diskFileSystem(this.view);
    const text = readFileSync(`units/${unit}`, 'utf8');
    const one: boolean[] = [];
    const all: boolean[] = [];
    for (const [, name, bar, path = ''] of text.matchAll(/^Condition(\w+)=(\|?)(.+)$/gm)) {
      const kind = await fs.lstat(path).then(
        (entry) => entry.kind,
        () => undefined,
      );
      const holds = name === 'PathIsSymbolicLink' ? kind === 'symlink' : kind !== undefined;
      (bar === '' ? all : one).push(holds);
    }
    return all.every(Boolean) && (one.length === 0 || one.some(Boolean));
  }

  /** What GRUB and the kernel do: the root by its name, or the default subvolume. */
  private mountRoot(): View {
    const { disk } = this;
    const top = disk.inode(SUPERBLOCK);
    let root = top.names.get('default') ?? TOP_LEVEL;
    if (this.options.layout === 'by name') {
      const view = { disk, mounts: new Map([['/', TOP_LEVEL]]) };
      const text = disk.inode(find(view, `/@${grubConfiguration}`, true)).text;
      root = find(view, `/${/subvol=(\S+)/.exec(text)?.[1] ?? '@'}`, true);
    }
    return {
      disk,
      mounts: new Map([
        ['/', root],
        ['/run', RUN],
      ]),
    };
  }

  ports(program: string): { service: Ports; online: Online; bootId: string } {
    const { view, effects } = this;
    const { layout, fault } = this.options;
    effects.program = program;
    const raw = diskFileSystem(view);
    const { fs, files } = effectPorts(raw, effects);
    const packageManager = effectPorts(raw, effects, () => 'step of the package manager');
    const bootId = `boot-${this.boots}`;
    const moment = { now: () => new Date(0), bootId };
    const run = this.commands(view);
    const kernel = {
      mounts: () => Promise.resolve(mountsOf(view, layout !== 'plain')),
      commandLine: () => Promise.resolve(layout === 'by name' ? ['rootflags=subvol=@'] : []),
    };
    const store = updateStore({ paths, fs, files, moment });
    const rootName = (): string | undefined =>
      layout === 'by name' ? nameOf(view.disk, find(view, '/', true)) : undefined;
    const service: Ports = {
      paths,
      fs,
      files,
      run,
      moment,
      store,
      kernel,
      payload: standInPayload({ ...packageManager, rootName, fault }),
      snapshots: layout === 'plain' ? noSnapshots : btrfsSnapshots({ paths, fs, files, run, kernel }),
      log: { write: () => undefined, entry: () => Promise.resolve() },
      askToLeave: () => Promise.reject(new Error('only in the update boot')),
      wakeLogin: () => Promise.resolve(),
      health: goodHealth,
      announce: nobodyListens,
      whySyncsStay: () => Promise.resolve(undefined),
    };
    const takeLock = () => Promise.resolve({ release: () => undefined });
    return { service, bootId, online: { paths, fs, files, store, moment, takeLock } };
  }

  private commands(view: View): RunCommand {
    return async (file, args) => {
      if (file === HOOK) {
        const raw = diskFileSystem(view);
        await step(this.effects, 'hook', undefined, async () => {
          await raw.removeTree(hookFile.path);
          await raw.createFile(hookFile.path, hookFile.text, 0o644);
        });
        return said();
      }
      const isChange = file === 'btrfs' && /^(snapshot|delete|set-default)$/.test(args[1] ?? '');
      const act = () => Promise.resolve(btrfsCommand(view, file, args) ?? said('', 1));
      return isChange ? step(this.effects, `btrfs ${args[1] ?? ''}`, said(), act) : act();
    };
  }
}

function told(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
