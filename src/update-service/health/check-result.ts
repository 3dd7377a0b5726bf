/** What one health check found; a row of the journal and a line of the report, but for the output (keep-output.ts). */
import type { Note } from '../../update/events.js';

/** `failed` makes the boot unhealthy, `warned` does not. */
export interface CheckResult extends Omit<Extract<Note, { note: 'health' }>, 'note'> {
  /** What to do about it, for everybody to read. */
  advice?: string;
}

export function passed(check: string): CheckResult {
  return { check, outcome: 'passed', message: '', output: '' };
}

export function failed(check: string, message: string, output = ''): CheckResult {
  return { check, outcome: 'failed', message, output };
}

export function warned(check: string, message: string, output = ''): CheckResult {
  return { check, outcome: 'warned', message, output };
}
