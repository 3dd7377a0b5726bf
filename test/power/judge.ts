/**
 * What would happen to a machine with this disk, told by what is on it: which root boots, what the links and the record of
 * that root say, and whether its files agree with them. A state that fits nowhere is an exception.
 */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileSystem } from '../../src/host/file-system.js';
import { parseJournal } from '../../src/update/journal.js';
import { pathsBelow, pathsOfUpdate } from '../../src/update/paths.js';
import { verifyStage } from '../../src/update/stage.js';
import type { UpdateState } from '../../src/update/state.js';
import { isOurTarget } from '../../src/update/trigger-link.js';
import { command, treeDifference } from '../laboratory/laboratory.js';
import type { Recording } from './recording.js';
import type { Variant } from './variants.js';

/** `resumed`, `returned`: neither old nor new yet; the next boot leads into the update, and goes on or puts back the copy. */
export type Outcome = 'old' | 'new' | 'resumed' | 'returned';

export interface Judgement {
  /** In words: what was found. */
  found: string;
  outcome: Outcome;
  /** Why this state must not be; empty when all is well. */
  problems: string[];
}

interface Facts {
  /** This root is a fallback. */
  marked: boolean;
  armed: boolean;
  claimed: boolean;
  /** A copy is to be put back. */
  copyArmed: boolean;
  state: UpdateState;
}

/** `root`: the one that boots. `everything`: each file is read, the untouched ones and the stage too. */
export async function judge(recording: Recording, root: string, everything: boolean): Promise<Judgement> {
  let facts: Facts;
  try {
    facts = readFacts(root);
  } catch (error) {
    return { found: 'a record that cannot be read', outcome: 'old', problems: [String(error)] };
  }
  const { outcome, problem } = expected(facts, recording.variant.way);
  const found = inWords(facts);
  const problems = problem === undefined ? [] : [problem];
  if (outcome === 'resumed') problems.push(...canGoOn(root));
  else if (outcome === 'returned') problems.push(...(everything ? await canReturn(root) : []));
  else problems.push(...differences(recording, root, outcome, everything));
  const willInstall = facts.armed || facts.claimed;
  if (everything && willInstall && 'planHash' in facts.state && facts.state.name !== 'installed') {
    await verifyStage(fileSystem, pathsBelow(root).stage, facts.state.planHash).catch((error: unknown) => {
      problems.push(String(error));
    });
  }
  return { found, outcome, problems };
}

function readFacts(root: string): Facts {
  const paths = pathsBelow(root);
  const ours = (path: string) => isOurTarget(linkTarget(path) ?? '');
  const ids = readdirSync(paths.updates);
  const [id = ''] = ids;
  if (ids.length !== 1) throw new Error(`one update is known, not ${ids.length}`);
  const journal = pathsOfUpdate(paths, id).journal;
  return {
    marked: existsSync(paths.fallbackMark),
    armed: paths.triggers.some(ours),
    claimed: paths.triggers.some((trigger) => ours(`${trigger}.claimed`)),
    copyArmed: linkTarget(armedCopy(root)) !== undefined,
    state: parseJournal(readFileSync(journal, 'utf8'), journal).state,
  };
}

function expected(facts: Facts, way: Variant['way']): { outcome: Outcome; problem?: string } {
  const { marked, armed, claimed, copyArmed, state } = facts;
  if (marked) {
    return armed || claimed
      ? { outcome: 'old', problem: 'a fallback with a link of ours would update again' }
      : { outcome: 'old' };
  }
  // Also between the row `installed` and the commit: which of them is not there yet decides.
  if (copyArmed)
    return claimed ? { outcome: 'returned' } : { outcome: 'old', problem: 'nobody puts back the copy' };
  switch (state.name) {
    case 'armed':
      return armed || claimed ? { outcome: 'old' } : { outcome: 'old', problem: 'armed, without its link' };
    case 'claimed':
      return claimed ? { outcome: 'old' } : { outcome: 'old', problem: 'claimed, without its link' };
    case 'installing':
      if (way !== 'resume') return { outcome: 'old', problem: 'no way back, and the root is being updated' };
      return claimed ? { outcome: 'resumed' } : { outcome: 'old', problem: 'installing, without its link' };
    case 'installed':
      return { outcome: 'new' };
    case 'confirmed':
      return armed || claimed
        ? { outcome: 'new', problem: 'confirmed, and a link is left' }
        : { outcome: 'new' };
    default:
      return { outcome: 'old', problem: `nothing went wrong, and the record says ${state.name}` };
  }
}

/** Of an interrupted install: what the update boot needs to go on. */
function canGoOn(root: string): string[] {
  const paths = pathsBelow(root);
  const problems: string[] = [];
  if (linkTarget(paths.open) === undefined) problems.push('installing, and no update is marked open');
  const status = readFileSync(join(root, 'var/lib/dpkg/status'), 'utf8');
  if (!/^Package: dpkg$/m.test(status)) problems.push('the package database does not know dpkg');
  return problems;
}

/** What `restore` asks of the copy before it touches anything. */
async function canReturn(root: string): Promise<string[]> {
  const options = { cwd: armedCopy(root), check: false };
  const { exitCode, stdout, stderr } = await command(['sha256sum', '--check', '--quiet', 'sums'], options);
  return exitCode === 0 ? [] : [`the copy is not as it was saved: ${stdout}${stderr}`];
}

function armedCopy(root: string): string {
  return join(pathsBelow(root).state, 'fallbacks/armed');
}

const shown = 5;

function differences(
  { trees, old, updated }: Recording,
  root: string,
  outcome: 'old' | 'new',
  everything: boolean,
): string[] {
  const different = treeDifference(outcome === 'old' ? old : updated, trees.read(root, everything));
  if (different.length === 0) return [];
  const some = different.slice(0, shown).join(', ');
  return [`not wholly ${outcome}: ${different.length} files differ, such as ${some}`];
}

function inWords({ marked, armed, claimed, copyArmed, state }: Facts): string {
  const link = armed ? 'armed link' : claimed ? 'claimed link' : 'no link';
  const way = marked ? 'fallback, ' : copyArmed ? 'copy armed, ' : '';
  return `${way}${link}, ${state.name}`;
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
