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
import { treeDifference } from '../laboratory/laboratory.js';
import type { Recording } from './recording.js';

/** `resumed`: neither old nor new yet; the next boot leads into the update, which goes on. */
export type Outcome = 'old' | 'new' | 'resumed';

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
    state: parseJournal(readFileSync(journal, 'utf8'), journal).state,
  };
}

function expected(facts: Facts, way: 'fallback' | 'resume'): { outcome: Outcome; problem?: string } {
  const { marked, armed, claimed, state } = facts;
  if (marked) {
    return armed || claimed
      ? { outcome: 'old', problem: 'a fallback with a link of ours would update again' }
      : { outcome: 'old' };
  }
  switch (state.name) {
    case 'armed':
      return armed || claimed ? { outcome: 'old' } : { outcome: 'old', problem: 'armed, without its link' };
    case 'claimed':
      return claimed ? { outcome: 'old' } : { outcome: 'old', problem: 'claimed, without its link' };
    case 'installing':
      if (way === 'fallback') return { outcome: 'old', problem: 'the root that is being updated boots' };
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

function inWords({ marked, armed, claimed, state }: Facts): string {
  const link = armed ? 'armed link' : claimed ? 'claimed link' : 'no link';
  return `${marked ? 'fallback, ' : ''}${link}, ${state.name}`;
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
