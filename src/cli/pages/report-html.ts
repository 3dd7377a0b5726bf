/** The report of one update as one self-contained file: no script, no font, no picture from elsewhere. */
import { summary } from '../../prepare/plan-summary.js';
import type { Report } from '../../update/report.js';
import type { Plan } from '../../update/plan.js';
import { bytesText, secondsText, timeText } from '../quantities.js';
import { phaseChart } from './phase-chart.js';
import { escapeHtml } from './escape-html.js';
import { verdictText } from './report-page.js';

const style = `
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24; background: #fff; }
  h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
  table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: .2rem .8rem .2rem 0; vertical-align: top; }
  th { font-weight: 600; } tbody tr:nth-child(odd) { background: #8881; } td.time { white-space: nowrap; font-variant-numeric: tabular-nums; }
  .good { color: #116329; } .bad { color: #a40e26; } .reboot td { border-top: 2px dashed #888; }
  code, pre { font: .9em ui-monospace, monospace; } pre { overflow-x: auto; } svg { width: 100%; height: auto; }
  @media (prefers-color-scheme: dark) { body { color: #e6edf3; background: #0d1117; } .good { color: #56d364; } .bad { color: #ff7b72; } }
`;

export function reportHtml(report: Report, plan: Plan): string {
  const verdict = verdictText(report);
  const isGood = report.state === 'confirmed' || report.state === 'installed';
  const facts: [string, string | undefined][] = [
    ['Prepared', timeText(report.preparedAt)],
    ['Attempts', String(report.attempts)],
    ['Update boot took', report.awaySeconds === null ? undefined : secondsText(report.awaySeconds)],
    [
      report.leftBy === null ? 'Ends in' : 'Left by',
      report.action === null
        ? undefined
        : `${report.action}${report.leftBy === null ? '' : `, asked for through ${report.leftBy}`}`,
    ],
    ['Downloaded', bytesText(summary(plan).downloadBytes)],
  ];
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(`Update ${report.id}: ${verdict}`)}</title>
<style>${style}</style>
<h1>Update ${escapeHtml(report.id)}: <span class="${isGood ? 'good' : 'bad'}">${escapeHtml(verdict)}</span></h1>
${report.reason ? `<p class="bad">${escapeHtml(report.reason.message)} <code>${escapeHtml(report.reason.code)}</code></p>` : ''}
${table(facts.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))}
${part('Where the time went', phaseChart(report.phases))}
${part(
  'Changes',
  table(
    report.payload.changes.map(({ name, action, from, to }) => [name, action, from ?? '', to ?? '']),
    ['Package', 'Change', 'From', 'To'],
  ),
)}
${part(
  'Configuration files to look at',
  table(
    report.conffiles.map(({ path, leftover }) => [path, leftover]),
    ['File', 'The other version'],
  ),
)}
${part('Findings', table(report.findings.map(({ check, message }) => [check, message])))}
${part('Hooks', table(report.hooks.map(({ path, exitCode, output }) => [path, `ended with ${exitCode}`, output])))}
${part('Timeline', timeline(report))}
${part('Logs', `<pre>${escapeHtml(`${report.logs.terminal}\n${report.logs.journal}`)}</pre>`)}
</html>
`;
}

/** Nothing for an empty part. */
function part(title: string, content: string): string {
  return content === '' ? '' : `<h2>${escapeHtml(title)}</h2>\n${content}`;
}

function table(rows: readonly (readonly string[])[], head?: readonly string[]): string {
  if (rows.length === 0) return '';
  const cells = (tag: string, row: readonly string[]) =>
    `<tr>${row.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join('')}</tr>`;
  const header = head ? `<thead>${cells('th', head)}</thead>` : '';
  return `<table>${header}<tbody>\n${rows.map((row) => cells('td', row)).join('\n')}\n</tbody></table>`;
}

/** A change of the boot id is the reboot that nobody wrote down. */
function timeline({ timeline: rows }: Report): string {
  const lines = rows.map(({ at, bootId, text }, index) => {
    const isReboot = index > 0 && bootId !== rows[index - 1]?.bootId;
    return `<tr${isReboot ? ' class="reboot"' : ''}><td class="time">${escapeHtml(timeText(at))}</td><td>${escapeHtml(text)}</td></tr>`;
  });
  return lines.length === 0 ? '' : `<table><tbody>\n${lines.join('\n')}\n</tbody></table>`;
}
