/** What `prepare` ends with: what will happen, and what to type next. */
import { failedBeforeText, type FailedBefore } from '../../prepare/failed-before.js';
import { summary } from '../../prepare/plan-summary.js';
import type { Plan } from '../../update/plan.js';
import { bytesText } from '../quantities.js';
import { endAndReason } from './end-and-reason.js';
import { changeLines, countsText } from './change-lines.js';
import { notRecompressedLines, recompressedText } from './recompressed-lines.js';

export function planPage(plan: Plan, failedBefore?: FailedBefore): string[] {
  const told = summary(plan);
  const { counts, downloadBytes, diskBytes, end } = told;
  const [recompressed, asSigned] = [recompressedText(told), notRecompressedLines(told)];
  const { changes, unsignedSources } = plan.payload;
  const disk = `${bytesText(Math.abs(diskBytes))} ${diskBytes < 0 ? 'freed on disk' : 'more on disk'}`;
  return [
    `Update ${plan.id} is prepared and sealed.`,
    '',
    ...changeLines(changes),
    '',
    `${countsText(counts)}; ${bytesText(downloadBytes)} of packages, ${disk}.`,
    ...(recompressed === undefined ? [] : [`${recompressed}.`]),
    ...(end ? [`Ends in ${endAndReason(end)}.`] : []),
    ...(unsignedSources.length === 0
      ? []
      : ['', 'Not signed, allowed by the policy:', ...unsignedSources.map((source) => `  ${source}`)]),
    ...(asSigned.length === 0
      ? []
      : ['', 'Left as they were signed:', ...asSigned.map((line) => `  ${line}`)]),
    ...(failedBefore ? ['', `Warning: ${failedBeforeText(failedBefore)}`] : []),
  ];
}
