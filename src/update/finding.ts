/** What a check has to say: of the preflight, of the update boot's own checks, of the verification. */
export interface Finding {
  /** Stable id of the check, e.g. `trigger-foreign`. */
  check: string;
  severity: 'block' | 'warn' | 'info';
  /** What was seen, one sentence. */
  evidence: string;
  /** What to type or do about it. */
  remedy: string;
}

/** Of a verification: is what was found no more than a version that is not the planned one? */
export function packagesAreWhole(findings: readonly Finding[]): boolean {
  return findings.every(({ check }) => check === 'package-state');
}
