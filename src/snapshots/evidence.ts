/**
 * What happened, carried from the root that failed into the root that comes back (invariant 12): journal,
 * terminal log, report and what the rescue script noted. Can be done again at any time; the journal comes last, so that
 * one which tells of the failure has the rest beside it.
 */
import type { DurableFiles } from '../host/durable-files.js';
import type { FileSystem } from '../host/file-system.js';
import { exists } from '../host/exists.js';
import { isErrno } from '../host/host-error.js';
import { textOf } from '../host/if-there.js';
import { updateIds } from '../update/held.js';
import { parseJournal } from '../update/journal.js';
import { pathsOfUpdate, type Paths } from '../update/paths.js';

export interface EvidencePorts {
  fs: FileSystem;
  files: DurableFiles;
}

/** All updates that `from` knows more of. */
export async function carryHistory(ports: EvidencePorts, from: Paths, to: Paths): Promise<void> {
  for (const id of await updateIds(ports.fs, from)) {
    const [source, target] = [pathsOfUpdate(from, id), pathsOfUpdate(to, id)];
    if ((await textOf(ports.fs, source.journal)) === (await textOf(ports.fs, target.journal))) continue;
    await carryEvidence(ports, id, from, to);
  }
}

export async function carryEvidence(ports: EvidencePorts, id: string, from: Paths, to: Paths): Promise<void> {
  const [source, target] = [pathsOfUpdate(from, id), pathsOfUpdate(to, id)];
  await ports.files.makeFolder(target.folder, 0o755);
  if (!(await exists(ports.fs, target.plan))) await copy(ports, source.plan, target.plan);
  await copy(ports, source.terminalLog, target.terminalLog);
  await copy(ports, source.report, target.report);
  await addLines(ports, from.rescued, to.rescued);
  const [theirs, ours] = [await textOf(ports.fs, source.journal), await textOf(ports.fs, target.journal)];
  if (ours.startsWith(theirs)) return;
  // The journal here was cut off when the fallback was made: theirs is the same one, gone on.
  if (theirs.startsWith(ours) && isSound(theirs)) await ports.files.replace(target.journal, theirs, 0o644);
  else await copy(ports, source.journal, `${target.journal}.failed-root`);
}

/** Each root has its own: the shell of the one that boots may have written before anybody looked at the other. */
async function addLines({ fs, files }: EvidencePorts, from: string, to: string): Promise<void> {
  const [theirs, ours] = [await textOf(fs, from), await textOf(fs, to)];
  if (theirs !== '' && !ours.startsWith(theirs)) await files.replace(to, theirs + ours);
}

function isSound(journal: string): boolean {
  try {
    parseJournal(journal);
    return true;
  } catch {
    return false;
  }
}

async function copy({ fs, files }: EvidencePorts, from: string, to: string): Promise<void> {
  const next = `${to}.new`;
  try {
    await fs.copyFile(from, next);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return;
    throw error;
  }
  await fs.syncFile(next);
  await files.rename(next, to);
}
