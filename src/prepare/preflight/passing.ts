/** What stands in the way for a while, and by itself may stand there no more: worth another try. */
import type { Finding } from '../../update/finding.js';

const passing: ReadonlySet<string> = new Set(['power-supply', 'inhibitors', 'lock-held', 'not-idle']);

export function isPassing({ check }: Pick<Finding, 'check'>): boolean {
  return passing.has(check);
}
