/**
 * What hooks, checks and failed units say goes into the terminal log, which root alone may read: it can hold a password
 * or a token, and journal and report are for everybody. `offline-update log` shows it; a revert carries it along.
 *
 * Never throws: what cannot be kept must change neither an attempt nor a verdict.
 */
import type { KnownUpdate } from '../update/store.js';
import type { Ports } from './ports.js';

/** `of`: who said it, as a heading. Nothing is written for no output. */
export async function keepOutput(
  { fs, log }: Pick<Ports, 'fs' | 'log'>,
  { paths }: KnownUpdate,
  of: string,
  output: string,
): Promise<void> {
  if (output.trim() === '') return;
  try {
    await fs.appendFile(paths.terminalLog, `\noffline-update: ${of}\n${output.trimEnd()}\n`);
  } catch (error) {
    log.write('warning', `the output of ${of} could not be kept: ${String(error)}`);
  }
}

/** Its last words mostly are the reason, and all that everybody may read of it. */
export function lastLine(output: string): string {
  const line = output.trim().split('\n').at(-1) ?? '';
  return line === '' ? '' : `: ${line}`;
}
