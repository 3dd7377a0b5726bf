/**
 * Every effect of the protocol by a name, so that a mutant can leave one sync away or exchange two neighbouring steps.
 *
 * A step is one act of the product on the disk: a durable act (durable-files.ts), a direct verb of the file system, a
 * command. A sync is one call of fsync(2) or syncfs(2) within a step. Names say the program, the step, and for a sync what
 * it syncs: `trigger: link /system-update > folder /`. What happens in /run is no effect: nothing of it outlives a cut.
 */
import { durableFiles, type DurableFiles } from '../../../src/host/durable-files.js';
import type { FileSystem } from '../../../src/host/file-system.js';
import { changingVerbs } from '../../fixtures/recording-file-system.js';

/** Several syncs that are left away at once: those that stand in for each other. */
export type Mutant = { without: readonly string[] } | { first: string; then: string };

export interface Effects {
  program: string;
  /** How often each step of this program has been done: `(2)` is the second one of a name. */
  counts: Map<string, number>;
  readonly mutant: Mutant | undefined;
  /** In the order of happening, each as often as it happens. */
  steps: string[];
  syncs: string[];
  /** The step that a mutant holds back until its neighbour has been done. */
  held: (() => Promise<unknown>) | undefined;
  current: string;
  /** The mutant has done something else than the product by now. */
  hasMutated: boolean;
}

export function newEffects(mutant?: Mutant): Effects {
  const nothing = { held: undefined, current: '', hasMutated: false };
  return { program: '', counts: new Map(), mutant, steps: [], syncs: [], ...nothing };
}

/** At the begin of each program. */
export function beginProgram(effects: Effects, program: string): void {
  effects.program = program;
  effects.counts = new Map();
}

/** Does a step, or what a mutant makes of it. A step that is held back says that it was done. */
export async function step<T>(effects: Effects, name: string, answer: T, act: () => Promise<T>): Promise<T> {
  const count = (effects.counts.get(name) ?? 0) + 1;
  effects.counts.set(name, count);
  const label = `${effects.program}: ${name}${count > 1 ? ` (${count})` : ''}`;
  const { mutant } = effects;
  const run = (): Promise<T> => {
    effects.current = label;
    effects.steps.push(label);
    return act();
  };
  if (mutant && 'first' in mutant) {
    if (label === mutant.then && effects.held === undefined && !effects.steps.includes(label)) {
      effects.held = run;
      effects.hasMutated = true;
      return answer;
    }
    if (label === mutant.first && effects.held !== undefined) {
      const done = await run();
      const { held } = effects;
      effects.held = undefined;
      await held();
      return done;
    }
  }
  return run();
}

const syncVerbs = { syncFile: 'file', syncFolder: 'folder', syncFileSystem: 'file system' } as const;

/** The lowest layer: each sync by its name, or not at all. */
function withSyncs(fs: FileSystem, effects: Effects): FileSystem {
  const rows = (Object.keys(syncVerbs) as (keyof typeof syncVerbs)[]).map((verb) => [
    verb,
    async (path: string) => {
      if (isMemory(path)) return fs[verb](path);
      const label = `${effects.current} > ${syncVerbs[verb]} ${shortName(path)}`;
      effects.syncs.push(label);
      const { mutant } = effects;
      if (mutant && 'without' in mutant && mutant.without.includes(label)) {
        effects.hasMutated = true;
        return;
      }
      await fs[verb](path);
    },
  ]);
  return { ...fs, ...Object.fromEntries(rows) } as FileSystem;
}

const durable = [
  'replace',
  'replaceLazily',
  'create',
  'appendLine',
  'link',
  'rename',
  'exchange',
  'remove',
  'removeTree',
  'makeFolder',
] as const satisfies readonly (keyof DurableFiles)[];

/** Both ports that the product writes through; `nameOf` may give the steps another name. */
export function effectPorts(
  disk: FileSystem,
  effects: Effects,
  nameOf: (verb: string, args: readonly unknown[]) => string = describe,
): { fs: FileSystem; files: DurableFiles } {
  const low = withSyncs(disk, effects);
  const files = durableFiles(low);
  const wrap = <P extends object>(port: P, verbs: readonly (keyof P & string)[], answer: unknown): P => {
    const rows = verbs.map((verb) => [
      verb,
      async (...args: unknown[]): Promise<unknown> => {
        const act = (): Promise<unknown> => (port[verb] as (...args: unknown[]) => Promise<unknown>)(...args);
        if (isMemory(pathOf(verb, args))) return act();
        return step(effects, nameOf(verb, args), answer, act);
      },
    ]);
    return { ...port, ...Object.fromEntries(rows) } as P;
  };
  return { fs: wrap(low, changingVerbs, undefined), files: wrap(files, durable, true) };
}

function pathOf(verb: string, args: readonly unknown[]): string {
  return String(verb === 'symlink' || verb === 'link' ? args[1] : args[0]);
}

function describe(verb: string, args: readonly unknown[]): string {
  const path = pathOf(verb, args);
  if (verb === 'appendLine' && path.endsWith('/journal.jsonl')) return describeRow(String(args[1]));
  const other = ['rename', 'exchange', 'copyFile'].includes(verb) ? ` and ${shortName(String(args[1]))}` : '';
  return `${verb} ${shortName(path)}${other}`;
}

function describeRow(line: string): string {
  if (line === '') return 'journal: end of a torn row';
  const { entry } = JSON.parse(line) as { entry: Record<string, unknown> };
  const note = entry['note'] === 'phase' ? `phase ${String(entry['phase'])}` : String(entry['note']);
  return 'event' in entry ? `journal: ${String(entry['event'])}` : `journal: note ${note}`;
}

/** Below the state folder `.`; without ids and the names of temporary files. */
function shortName(path: string): string {
  return path
    .replace(/^\/run\/offline-update\/top-level/, 'top')
    .replace(/\.offline-update-\d{8}T\d{6}-[0-9a-f]{4}/, '.other')
    .replace(/\d{8}T\d{6}-[0-9a-f]{4}/, 'ID')
    .replace(/\.\d+-\d+\.new$/, '.new')
    .replace('/var/lib/offline-update/updates/', '')
    .replace(/^\/var\/lib\/offline-update/, '.');
}

function isMemory(path: string): boolean {
  return path.startsWith('/run/') && !path.startsWith('/run/offline-update/top-level');
}
