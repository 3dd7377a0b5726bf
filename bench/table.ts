/** The results as a Markdown table: medians, in brackets the least of the runs, and the ratio of each. */
import type { Result } from './measurement.js';
import { isReached, median, ratioOf } from './statistics.js';

const header = ['measured', 'ours', 'compared with', 'its figure', 'ratio', 'target', 'reached', 'runs'];

export function resultTable(results: readonly Result[]): string {
  const lines = [header, header.map(() => '---'), ...results.map(rowOf)];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function rowOf(result: Result): string[] {
  const { what, ours, peer, target } = result;
  const reached = isReached(result);
  const bound =
    target &&
    ('ratio' in target ? `≤ ${Number(target.ratio.toFixed(2))} ×` : `≤ ${target.most} ${result.unit}`);
  return [
    what,
    figure(result, ours),
    peer?.name ?? '',
    peer ? figure(result, peer.values) : '',
    ratios(result),
    bound ?? '',
    reached === undefined ? '' : reached ? 'yes' : '**no**',
    peer ? `${ours.length} + ${peer.values.length}` : String(ours.length),
  ];
}

/** Of the medians, and of the least: on a busy machine the second one is the truer. */
function ratios(result: Result): string {
  const { ours, peer } = result;
  const ratio = ratioOf(result);
  if (!peer || ratio === undefined) return '';
  return `${ratio.toFixed(2)} (${(Math.min(...ours) / Math.min(...peer.values)).toFixed(2)})`;
}

function figure({ unit }: Result, values: readonly number[]): string {
  const digits = unit === 's' ? 3 : unit === 'ms' ? 2 : 1;
  return `${median(values).toFixed(digits)} ${unit} (${Math.min(...values).toFixed(digits)})`;
}
