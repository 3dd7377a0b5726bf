/** The results as a Markdown table: medians, in brackets the least of the runs. */
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
  const bound = target && ('ratio' in target ? `≤ ${target.ratio} ×` : `≤ ${target.most} ${result.unit}`);
  return [
    what,
    figure(result, ours),
    peer?.name ?? '',
    peer ? figure(result, peer.values) : '',
    ratioOf(result)?.toFixed(2) ?? '',
    bound ?? '',
    reached === undefined ? '' : reached ? 'yes' : '**no**',
    peer ? `${ours.length} + ${peer.values.length}` : String(ours.length),
  ];
}

function figure({ unit }: Result, values: readonly number[]): string {
  const digits = unit === 's' ? 3 : unit === 'ms' ? 2 : 1;
  return `${median(values).toFixed(digits)} ${unit} (${Math.min(...values).toFixed(digits)})`;
}
