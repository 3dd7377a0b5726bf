/** The report of one update as a page that a person understands: how it ended, what changed, what to look at. */
import type { Report } from '../../update/report.js';
import { summary } from '../../prepare/plan-summary.js';
import type { Plan } from '../../update/plan.js';
import { secondsText, timeText } from '../quantities.js';
import { awayText } from './away-text.js';
import { changeLines, countsText } from './change-lines.js';
import { notRecompressedLines, recompressedText } from './recompressed-lines.js';

export function reportPage(report: Report, plan: Plan): string[] {
  const told = summary(plan);
  const recompressed = recompressedText(told);
  return [
    `Update ${report.id}: ${verdictText(report)}`,
    ...(report.reason ? ['', `Reason: ${report.reason.message} [${report.reason.code}]`] : []),
    '',
    `Prepared   ${timeText(report.preparedAt)}, ${requestText(report.request)}`,
    `Attempts   ${report.attempts}`,
    ...(report.awaySeconds === null ? [] : [`Boot took  ${secondsText(report.awaySeconds)}`]),
    ...(report.away === null ? [] : [`Away       ${awayText(report.away)}`]),
    ...(report.estimate === null ? [] : [`Foretold   ${awayText(report.estimate)}`]),
    ...(report.action === null
      ? []
      : [
          report.leftBy === null
            ? `Ends in    ${report.action}`
            : `Left by    ${report.action}, asked for through ${report.leftBy}`,
          ...(report.actionBecause === null ? [] : [`           ${report.actionBecause}`]),
        ]),
    ...section(`Changes: ${countsText(told.counts)}`, changeLines(report.payload.changes)),
    ...section(
      'Sources that are not signed, allowed by the policy',
      report.payload.unsignedSources.map((source) => `  ${source}`),
    ),
    ...section('Package files', recompressed === undefined ? [] : [`  ${recompressed}`]),
    ...section(
      'Packages that were left as they were signed',
      notRecompressedLines(told).map((line) => `  ${line}`),
    ),
    ...section(
      'Configuration files to look at',
      report.conffiles.map(({ path, leftover }) => `  ${path}  (the other version: ${leftover})`),
    ),
    ...section(
      'Findings',
      report.findings.map(({ check, message }) => `  ${check}: ${message}`),
    ),
    ...section('Health in the boot after it', [
      ...report.health.flatMap(healthLines),
      ...printedLines(
        report,
        report.health.some(({ outcome }) => outcome !== 'passed'),
      ),
    ]),
    ...section('Hooks', [
      ...report.hooks.map(({ path, exitCode }) => `  ${path} ended with ${exitCode}`),
      ...printedLines(
        report,
        report.hooks.some(({ exitCode }) => exitCode !== 0),
      ),
    ]),
    ...section(
      'Phases',
      report.phases.map(
        ({ phase, outcome, seconds }) =>
          `  ${phase.padEnd(10)} ${seconds.toFixed(2).padStart(8)} s  ${outcome}`,
      ),
    ),
    ...section('Timeline', timelineLines(report)),
    ...section('Logs', [`  ${report.logs.terminal}`, `  ${report.logs.journal}`]),
  ];
}

/** Where somebody has to find out what is wrong. */
function printedLines({ id }: Report, isAsked: boolean): string[] {
  return isAsked ? [`  What was printed: offline-update log ${id}`] : [];
}

/** With the advice, where it is not well. */
function healthLines({ check, outcome, message, output }: Report['health'][number]): string[] {
  const printed = outcome === 'passed' || output === '' ? [] : output.split('\n');
  return [
    `  ${outcome.padEnd(7)} ${check}${message === '' ? '' : `: ${message}`}`,
    ...printed.map((line) => `          ${line}`),
  ];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines];
}

/** A change of the boot id is the reboot that nobody wrote down. */
function timelineLines({ timeline }: Report): string[] {
  return timeline.flatMap(({ at, bootId, text }, index) => [
    ...(index > 0 && bootId !== timeline[index - 1]?.bootId ? ['  ---- reboot ----'] : []),
    `  ${timeText(at)}  ${text}`,
  ]);
}

function requestText({ mode, packages }: Report['request']): string {
  switch (mode) {
    case 'upgrade':
      return 'all upgrades';
    case 'full-upgrade':
      return 'all upgrades, with removals where needed';
    case 'packages':
      return `for ${packages.join(' ')}`;
    case 'plugin':
      return 'by a package manager plugin';
  }
}

export function verdictText({ state, cancelled }: Report): string {
  if (cancelled !== null) return `not installed, ${cancelled}`;
  switch (state) {
    case 'confirmed':
      return 'installed, and the machine came back updated';
    case 'refused':
      return 'refused in the update boot, nothing was changed';
    case 'failed':
      return 'FAILED';
    case 'reverted':
      return 'reverted, the system is as it was before';
    case 'blocked':
      return 'BLOCKED after its last attempt';
    case 'installed':
      return 'installed, waiting for a good boot to confirm it';
    case 'none':
    case 'prepared':
    case 'armed':
    case 'stale':
    case 'claimed':
    case 'installing':
      return state;
  }
}
