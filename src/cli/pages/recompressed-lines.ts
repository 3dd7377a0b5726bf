/** How the files of the packages lie in the stage, where the policy wants them quick to unpack. */
import type { PlanSummary } from '../../prepare/plan-summary.js';
import { someOf } from '../../update/some-of.js';
import { bytesText } from '../quantities.js';

/** Undefined where nothing was recompressed. */
export function recompressedText({ recompressed }: Pick<PlanSummary, 'recompressed'>): string | undefined {
  if (!recompressed) return undefined;
  const { packages, stagedBytes } = recompressed;
  const some = packages === 1 ? '1 package' : `${packages} packages`;
  return `${some} recompressed to be unpacked sooner: ${bytesText(stagedBytes)} in the stage`;
}

/** One for each reason. */
export function notRecompressedLines({ notRecompressed }: Pick<PlanSummary, 'notRecompressed'>): string[] {
  return notRecompressed.map(({ because, packages }) => `${someOf(packages)}: ${because}`);
}
