/** Findings of the preflight: what was seen, and below it what to do. */
import type { Finding } from '../../update/finding.js';

const labels: Record<Finding['severity'], string> = { block: 'BLOCKED', warn: 'Warning', info: 'Note' };

export function findingLines(findings: readonly Finding[]): string[] {
  return findings.flatMap(({ check, severity, evidence, remedy }) => [
    `${labels[severity]}: ${evidence} [${check}]`,
    `  ${remedy}`,
  ]);
}
