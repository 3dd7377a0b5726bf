/**
 * Is a copy still to be put back? Its claimed link leads the next boot there; one that was led past that keeps both, and comes
 * to no verdict. Without an open update they are of a rollback, or of an update that was given up, whatever is prepared
 * meanwhile. Beside one they are of its own way back, if it has taken that: else an attempt is under way, or a power cut
 * kept the copy of a proven update from being put out of use.
 */
import { join } from 'node:path';
import { exists } from '../host/exists.js';
import type { FileSystem } from '../host/file-system.js';
import { isErrno } from '../host/host-error.js';
import { ifThere } from '../host/if-there.js';
import { parseJournal } from './journal.js';
import type { Paths } from './paths.js';
import { reasonToRevert } from './reverting.js';
import { readTriggers } from './trigger-link.js';

export interface CopyAhead {
  /** Of an update with which the machine is not well: not to be taken back. */
  isUnhealthy: boolean;
  /** As units/rescue tells it: the system may be half of each, and only the boot that goes on with the copy makes it whole. */
  isBegun: boolean;
}

interface Ports {
  fs: FileSystem;
  paths: Paths;
}

export async function copyAhead(ports: Ports): Promise<CopyAhead | undefined> {
  const { fs, paths } = ports;
  const triggers = await readTriggers(fs, paths.triggers);
  if (!triggers.some(({ claimed }) => claimed.kind === 'ours')) return undefined;
  // Others than root may not look; a claimed link in these states is nothing else. Nor can they cancel it.
  if (!(await unlessForbidden(exists(fs, paths.copyArmed), true))) return undefined;
  const open = await openUpdate(ports);
  if (open === 'under way') return undefined;
  return { isUnhealthy: open === 'unhealthy', isBegun: await unlessForbidden(isCopyBegun(ports), false) };
}

/** A history that cannot be read is no word against the copy. */
async function openUpdate({ fs, paths }: Ports): Promise<'under way' | 'unhealthy' | 'over'> {
  const text = await ifThere(fs.readFile(join(paths.open, 'journal.jsonl')));
  if (text === undefined) return 'over';
  let journal;
  try {
    journal = parseJournal(text);
  } catch {
    return 'over';
  }
  const { rows, state } = journal;
  if (state.name === 'reverted' || state.name === 'none') return 'over';
  return state.name === 'installed' && reasonToRevert(rows) ? 'unhealthy' : 'under way';
}

/** That of an update that was given up, or of a way back from a proven one that was cut. */
async function isCopyBegun({ fs, paths }: Ports): Promise<boolean> {
  const id = await ifThere(fs.readLink(paths.copyArmed));
  if (id === undefined) return false;
  const copy = join(paths.fallbacks, id);
  return !(await exists(fs, join(copy, 'committed'))) || (await exists(fs, join(copy, 'begun')));
}

async function unlessForbidden<T>(answer: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (isErrno(error, 'EACCES')) return otherwise;
    throw error;
  }
}
