/**
 * What must be true of a machine that came back, whatever happened to it: wholly old or wholly new, a record that says
 * which, nothing of the update left, and the next boot does nothing any more.
 */
import { parseJournal, type JournalRow } from '../../../src/update/journal.js';
import { pathsBelow, pathsOfUpdate, CLAIMED_SUFFIX } from '../../../src/update/paths.js';
import { rolledBackBy } from '../../../src/update/held.js';
import type { StateName } from '../../../src/update/state.js';
import { TOP_LEVEL } from './btrfs-commands.js';
import type { Graph } from './disk.js';
import { updateId } from './fresh-disk.js';
import type { Told } from './machine.js';
import { hookFile, type Layout } from './machine-ports.js';
import { walk } from './paths-on-disk.js';
import {
  contentOf,
  database,
  databaseOf,
  grubConfiguration,
  grubText,
  packageNames,
} from './stand-in-payload.js';

const paths = pathsBelow('/');
const record = pathsOfUpdate(paths, updateId);

export interface Judgement {
  system: 'old' | 'new' | 'mixed';
  state: StateName;
  problems: string[];
}

/** What each end of the record may say of the system; without a way back a failed install is what it is. */
const truths: Partial<Record<StateName, readonly string[]>> = {
  confirmed: ['new'],
  refused: ['old'],
  reverted: ['old'],
  prepared: ['old'],
  failed: ['old', 'new', 'mixed'],
  blocked: ['old', 'new', 'mixed'],
};

/** `root`: the one that runs, in the ordinary boot after all is done. */
export function judge(graph: Graph, root: number, layout: Layout, told: Told): Judgement {
  const files = new Map<string, string>();
  for (const [path, inode] of walk(graph, root)) {
    if (inode.kind !== 'folder') files.set(path, inode.text);
  }
  const problems: string[] = [];
  const system = isAll('old', files, layout) ? 'old' : isAll('new', files, layout) ? 'new' : 'mixed';

  const { rows, state } = readRecord(files, problems);
  if (system === 'mixed' && state !== 'failed' && state !== 'blocked')
    problems.push(`the system is neither old nor new: ${tellSystem(files)}`);
  const isRolledBack = rolledBackBy(rows) !== undefined;
  const may = isRolledBack ? ['old'] : truths[state];
  if (told === 'rolled back' && system !== 'old')
    problems.push('rolled back, as the person was told, and it is not');
  if (!may?.includes(system))
    problems.push(
      `the record says ${state}${isRolledBack ? ' and rolled back' : ''}, the system is ${system}`,
    );
  const report = files.get(record.report);
  const isDone = state !== 'prepared';
  if (isDone && report === undefined) problems.push('there is no report');
  if (isDone && report !== undefined && verdictOf(report) !== state) {
    problems.push(`the report says ${verdictOf(report)}, the record ${state}`);
  }
  const neverRan = state === 'prepared' || state === 'refused';
  if (told === 'armed' && neverRan) problems.push(`armed, as the person was told, and it is ${state}`);
  if (told === 'cancelled' && state !== 'prepared')
    problems.push(`cancelled, as the person was told, and it is ${state}`);
  const armings = rows.filter(({ entry }) => 'event' in entry && entry.event === 'armed').length;
  if (armings > 1) problems.push(`armed ${armings} times`);

  if (state === 'reverted') problems.push(...missingEvidence(graph, root, files));

  const hooked = files.get(hookFile.path);
  const ranHook = rows.some(
    ({ entry }) => 'note' in entry && entry.note === 'phase' && entry.phase === 'before',
  );
  const must = system === 'new' || state === 'reverted' || isRolledBack;
  if (must && ranHook && hooked !== hookFile.text) problems.push('what the hook wrote is lost or torn');

  const residues = [
    ...paths.triggers.flatMap((path) => [path, path + CLAIMED_SUFFIX]),
    paths.open,
    paths.rescued,
    paths.claims,
    paths.fallbackMark,
  ];
  for (const path of residues) if (files.has(path)) problems.push(`${path} is still there`);
  if (state === 'confirmed' && [...files.keys()].some((path) => path.startsWith(`${paths.stage}/`))) {
    problems.push('the stage of a confirmed update is still there');
  }
  return { system, state, problems };
}

/** Invariant 12: what the root that was given up still tells has come over. */
function missingEvidence(graph: Graph, root: number, files: ReadonlyMap<string, string>): string[] {
  const problems: string[] = [];
  for (const other of graph.get(TOP_LEVEL)?.names.values() ?? []) {
    if (other === root) continue;
    const there = new Map([...walk(graph, other)].map(([path, { text }]) => [path, text]));
    const journal = there.get(record.journal) ?? '';
    // A last row that was torn tells nothing.
    const whole = journal.slice(0, journal.lastIndexOf('\n') + 1);
    if (!(files.get(record.journal) ?? '').startsWith(whole))
      problems.push('rows of the failed root are lost');
    const told = there.get(record.terminalLog);
    if (told !== undefined && !(files.get(record.terminalLog) ?? '').startsWith(told))
      problems.push('the terminal log is lost');
  }
  return problems;
}

function isAll(version: 'old' | 'new', files: ReadonlyMap<string, string>, layout: Layout): boolean {
  const grub = grubText(layout === 'by name' ? '@' : undefined);
  const shares = [...files.keys()].filter((path) => path.startsWith('/usr/share/'));
  return (
    packageNames.every((name) => files.get(`/usr/share/${name}`) === contentOf(name, version)) &&
    shares.length === packageNames.length &&
    files.get(database) === databaseOf(version) &&
    files.get(grubConfiguration) === grub
  );
}

function tellSystem(files: ReadonlyMap<string, string>): string {
  const told = [...files].filter(([path]) => /^\/(usr\/share|boot|var\/lib\/dpkg)\//.test(path));
  return JSON.stringify(Object.fromEntries(told));
}

function readRecord(
  files: ReadonlyMap<string, string>,
  problems: string[],
): { rows: JournalRow[]; state: StateName } {
  try {
    const { rows, state } = parseJournal(files.get(record.journal) ?? '');
    return { rows, state: state.name };
  } catch (error) {
    problems.push(`the journal cannot be read: ${String(error)}`);
    return { rows: [], state: 'none' };
  }
}

function verdictOf(report: string): string {
  try {
    return (JSON.parse(report) as { state: string }).state;
  } catch {
    return 'nothing: it cannot be read';
  }
}
