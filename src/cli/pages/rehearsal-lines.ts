/** What a rehearsal foretells, for people: short when there is nothing to look at. */
import type { Rehearsal } from '../../update/rehearsal.js';
import { someOf } from '../../update/some-of.js';
import { bytesText, count, secondsText } from '../quantities.js';

export function rehearsalLines(rehearsal: Rehearsal): string[] {
  const { reason, conffiles, questions, units, services, bootFiles, notRun } = rehearsal;
  const phase = rehearsal.phases.find(({ outcome }) => outcome === 'failed')?.phase;
  return [
    reason
      ? `The rehearsal FAILED${phase === undefined ? '' : ` in ${phase}`}: ${reason.message}`
      : `Rehearsed on a throw-away copy of this system: it installs, in ${secondsText(installSeconds(rehearsal))}.`,
    ...rehearsal.fileSystems.map(diskLine),
    ...listed(
      'Configuration files to look at afterwards',
      conffiles.map(({ path }) => path),
    ),
    ...listed(
      'Questions that get their default',
      questions.map(({ text, answer }) => `${text} [${answer}]`),
    ),
    ...listed('Unit files that change', units),
    ...listed('Services that run with files that change', services),
    ...listed('Written to boot from', bootFiles),
    ...listed('Not rehearsed', notRun),
  ].map((line, index) => (index === 0 ? line : `  ${line}`));
}

/** Of the phase that the package manager works in. */
function installSeconds({ phases }: Pick<Rehearsal, 'phases'>): number {
  return phases.find(({ phase }) => phase === 'install')?.seconds ?? 0;
}

function diskLine({
  path,
  writtenBytes,
  growthBytes,
  freeBytes,
  ...files
}: Rehearsal['fileSystems'][number]): string {
  const growth = `${bytesText(Math.abs(growthBytes))} ${growthBytes < 0 ? 'freed' : 'more'}`;
  const changed = count(files.changedFiles + files.removedFiles, 'file');
  return `${path}: ${changed}, ${bytesText(writtenBytes)} written, ${growth}, ${bytesText(freeBytes)} free`;
}

function listed(title: string, items: readonly string[]): string[] {
  if (items.length === 0) return [];
  return [`${title}: ${someOf(items)}`];
}
