/**
 * A machine after a power cut in the shell of an update boot. It must come back with a Node that never starts in an update boot,
 * by the scripts as they are installed, and with one that does again; both end in the model's ordinary boot and its
 * judgement (model/judge.ts).
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readlinkSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { RUN, SUPERBLOCK, RUN_DEVICE, type Graph } from '../model/disk.js';
import { TOP_LEVEL } from '../model/btrfs-commands.js';
import { keyOf, settle } from '../model/explore.js';
import { Machine } from '../model/machine.js';
import type { Folder } from './dead-service.js';
import { fallbacks, isLink, textOf } from './put-back.js';
import { graphOf, materialize } from './replay.js';
import { generatorStub, scriptIn, type Script } from '../../fixtures/rooted-scripts.js';
import { lookAt } from './traced.js';

interface Return {
  /** `new, confirmed`: the system, and what the record says. */
  end: string;
  problems: readonly string[];
}

const links = ['system-update', 'system-update.claimed'];
/** The claims end an update that begins again and again; one more. */
const MOST_BOOTS = 14;

/** With a copy only without Node: the model knows none. */
export async function returnsFrom(folder: Folder, graph: Graph): Promise<Return[]> {
  const key = keyOf(graph, 0);
  const known = seen.get(key) ?? (await bootBoth(folder, graph));
  seen.set(key, known);
  return known;
}

/** The scripts are in the folder, too: a mutant's is another one. */
const seen = new Map<string, Return[]>();

async function bootBoth(folder: Folder, graph: Graph): Promise<Return[]> {
  const root = join(folder.scratch, 'state');
  rmSync(root, { recursive: true, force: true });
  materialize(graph, root);
  const isLed = links.some((link) => isLink(join(root, link)));
  const isCopy = ['armed', 'restored'].some((link) => isLink(join(root, fallbacks, link)));
  const problems = isLed ? bootWithoutNode(root, folder.bin) : goneWithoutAWord(root);
  const without = await ordinaryBoot(isLed ? graphOf(lookAt(root)) : graph, problems);
  return isLed && !isCopy ? [without, await ordinaryBoot(graph, [])] : [without];
}

/** A boot that the links do not lead astray any more, or by the model's own update boot first. */
async function ordinaryBoot(graph: Graph, found: readonly string[]): Promise<Return> {
  const options = { layout: 'plain', fault: 'none', told: 'nothing', mutant: undefined, boots: 5 } as const;
  const whole = new Map(graph);
  const top = { kind: 'folder', text: '', mode: 0o755, uid: 0, gid: 0, device: RUN_DEVICE } as const;
  whole.set(RUN, { ...top, names: new Map() });
  whole.set(SUPERBLOCK, { ...top, names: new Map([['top', TOP_LEVEL]]) });
  const machine = new Machine(whole, { ...options, onChange: () => undefined });
  const { problems, judgement } = await settle(machine);
  const end = judgement === undefined ? 'no end' : `${judgement.system}, ${judgement.state}`;
  return { end, problems: [...found, ...problems] };
}

/** The generator's stub, the claim and what follows it, until no link leads there any more. */
function bootWithoutNode(root: string, bin: string): string[] {
  const env = { PATH: `${bin}:/usr/bin:/bin`, LAB_ROOT: root };
  const run = (script: Script, ...args: string[]): number | null =>
    spawnSync('/bin/sh', [scriptIn(root, script), ...args], { env }).status;
  for (let boots = 0; boots < MOST_BOOTS; boots += 1) {
    rmSync(join(root, 'run'), { recursive: true, force: true });
    mkdirSync(join(root, 'run/early'), { recursive: true });
    run(generatorStub, join(root, 'run'), join(root, 'run/early'), join(root, 'run'));
    if (!isRedirected(root)) {
      const left = links.filter((link) => isLink(join(root, link)));
      return left.length === 0 ? [] : [`no update boot, with ${left.join(' and ')}`];
    }
    run(run('claim') === 1 ? 'guard' : 'rescue');
    if (!existsSync(join(root, 'run/asked'))) return ['nobody asked to leave the update boot'];
    if (links.every((link) => !isLink(join(root, link)))) {
      const problems = goneWithoutAWord(root);
      if (problems.length > 0) return problems;
    }
  }
  return ['it boots and boots'];
}

function isRedirected(root: string): boolean {
  const target = join(root, 'run/early/default.target');
  return isLink(target) && basename(readlinkSync(target)) === 'system-update.target';
}

/** The links are taken away by shell only with a word for the record, so that the reason in it is true. */
function goneWithoutAWord(root: string): string[] {
  const lines = textOf(join(root, 'var/lib/offline-update/rescued')) ?? '';
  return /^[0-9a-f-]{36} [a-z-]+\n$/m.test(lines)
    ? []
    : [`the links are gone, and the record knows only: ${lines}`];
}
