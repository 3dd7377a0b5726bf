/**
 * A machine on a model disk: the product's own code with ports that end on that disk, and what a boot does with it.
 *
 * The code of the protocol is the real one (trigger, cancel, service, recover, confirm, the generator's decision, the
 * conditions of the units); the shell's claim, the kernel, the package manager and btrfs-progs are modelled.
 */
import { readFileSync } from 'node:fs';
import { planGeneration } from '../../../src/generator/generation.js';
import { fakeScheduler } from '../../fixtures/fake-scheduler.js';
import { cancelUpdate } from '../../../src/prepare/cancel.js';
import { rollBackTo } from '../../../src/prepare/rollback.js';
import { triggerUpdate } from '../../../src/prepare/trigger.js';
import { UpdateError } from '../../../src/update/errors.js';
import { pathsBelow } from '../../../src/update/paths.js';
import { defaultPolicy } from '../../../src/update/policy.js';
import { readTriggers } from '../../../src/update/trigger-link.js';
import { confirm } from '../../../src/update-service/confirm.js';
import { recover } from '../../../src/update-service/recover.js';
import { runUpdateBoot } from '../../../src/update-service/run.js';
import { mountsOf, TOP_LEVEL } from './btrfs-commands.js';
import { claim } from './claim.js';
import { Disk, RUN, SUPERBLOCK, type Graph } from './disk.js';
import { diskFileSystem } from './disk-file-system.js';
import { newEffects, step, type Effects, type Mutant } from './effects.js';
import { machinePorts, type Layout, type MachinePorts } from './machine-ports.js';
import { find, type View } from './paths-on-disk.js';
import { noRehearsal, plainFacts } from './plain-facts.js';
import { grubConfiguration, type Fault } from './stand-in-payload.js';

export interface MachineOptions {
  layout: Layout;
  fault: Fault;
  /** How many update boots the policy allows; its default otherwise. */
  attempts?: number | undefined;
  mutant?: Mutant | undefined;
  /** Boots that were before: the boot id is made of their count. */
  boots: number;
  told: Told;
  /** After each change that a power cut could take away. */
  onChange: (machine: Machine) => void;
}

/** A verb that has returned has kept its word on the disk, too. */
export type Told = 'nothing' | 'armed' | 'cancelled' | 'rolled back';

/** `normal`: it stays up. */
export type BootEnd = 'normal' | 'left the update boot' | 'left for the fallback';

const paths = pathsBelow('/');

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
    await cancelUpdate(this.ports('cancel').online, fakeScheduler());
    this.tell('cancelled');
  }

  /** To the newest fallback that is kept. */
  async rollBack(): Promise<void> {
    const { service, online } = this.ports('rollback');
    const [newest] = await service.snapshots.list();
    await rollBackTo(online, service.snapshots, newest?.id ?? '');
    this.tell('rolled back');
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
    if (wish !== 'soft-reboot\n') this.problems.push(`the shell would find as the wished end: ${wish}`);
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
      const asked: string[] = [];
      const askToLeave = () =>
        step(this.effects, 'ask to leave', 'logind', () => {
          asked.push('reboot');
          return Promise.resolve('logind');
        });
      await verb({ ...service, askToLeave }).catch((error: unknown) => {
        // A verdict that is told by the end of the unit.
        const isVerdict = error instanceof UpdateError && error.code === 'HEALTH_FAILED';
        if (!isVerdict) this.problems.push(`${unit} failed: ${told(error)}`);
      });
      if (asked.length > 0) return 'left for the fallback';
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

  private ports(program: string): MachinePorts {
    return machinePorts(program, {
      ...this.options,
      boots: this.boots,
      view: this.view,
      effects: this.effects,
    });
  }
}

function told(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
