/** How the files of the packages lie in the stage, where the policy wants them quick to unpack. */
import type { PlanSummary } from '../../prepare/plan-summary.js';
import { bytesText } from '../quantities.js';

/** Undefined where nothing was recompressed. */
export function recompressedText({ recompressed }: Pick<PlanSummary, 'recompressed'>): string | undefined {
  if (!recompressed) return undefined;
  const { packages, stagedBytes } = recompressed;
  const some = packages === 1 ? '1 package' : `${packages} packages`;
  return `${some} recompressed to be unpacked sooner: ${bytesText(stagedBytes)} in the stage`;
}

const shownNames = 5;

/** One for each reason. */
export function notRecompressedLines({ notRecompressed }: Pick<PlanSummary, 'notRecompressed'>): string[] {
  return notRecompressed.map(({ because, packages }) => {
    const more = packages.length - shownNames;
    return `${packages.slice(0, shownNames).join(', ')}${more > 0 ? ` and ${more} more` : ''}: ${because}`;
  });
}
