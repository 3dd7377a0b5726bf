/**
 * apt's own words, as errors of ours. apt prints `E: ...` for errors and `W: ...` for warnings on stderr; a held lock
 * is told as `E: Could not get lock FILE. It is held by process 123 (apt-get)`.
 */
import { UpdateError, type UpdateErrorCode } from '../../../update/errors.js';

/** One sentence a line without the `E:`; the whole text when there is none. */
export function aptWords(output: string): string {
  const lines = output.split('\n').map((line) => line.trim());
  const errors = lines.filter((line) => line.startsWith('E: ')).map((line) => line.slice(3));
  const sentences = errors.filter((line) => !line.endsWith(':')); // headings of what we leave out
  // also tells what depends on what, when no way was found
  const unmet = lines.filter((line) => / : (?:Pre-)?Depends: | : (?:Breaks|Conflicts): /.test(line));
  const words = [...unmet, ...sentences.map((sentence) => sentence + insteadOf(sentence, output))];
  return words.length > 0 ? words.join('; ') : lines.filter((line) => line !== '').join('; ');
}

/** What apt prints above its error, of a name that is no package: who provides or replaces it. */
function insteadOf(sentence: string, output: string): string {
  const [, name] = /^Package '(\S+)' has no installation candidate$/.exec(sentence) ?? [];
  const paragraph = output.split('\n\n').find((text) => text.includes(`Package ${name ?? ''} is `)) ?? '';
  const [, providers] = /is a virtual package provided by:\n((?: .*\n?)+)/.exec(paragraph) ?? [];
  // one a line, with its version
  if (providers !== undefined) return `: it is virtual; name one of ${listed(providers.match(/^ *\S+/gm))}`;
  const [, others] = /the following packages replace it:\n((?: .*\n?)+)/.exec(paragraph) ?? [];
  return others === undefined ? '' : `: it is replaced by ${listed(others.match(/\S+/g))}`;
}

function listed(names: readonly string[] | null): string {
  return [...new Set(names?.map((name) => name.trim()))].sort().join(', ');
}

export function aptError(code: UpdateErrorCode, what: string, output: string, hint?: string): UpdateError {
  const words = aptWords(output);
  const [, lock, holder] =
    /Could not get lock (\S+?)\.? (?:It is held by (process \d+(?: \(.*?\))?)|- open)/.exec(output) ?? [];
  if (lock !== undefined || output.includes('Unable to acquire the dpkg frontend lock')) {
    const who = holder === undefined ? 'another process' : holder;
    return new UpdateError('BUSY', `${lock ?? 'the lock of dpkg'} is held by ${who}`, {
      hint: 'wait until the other package manager is done, then try again',
    });
  }
  if (output.includes('dpkg was interrupted')) {
    return new UpdateError('PLAN_FAILED', words, { hint: 'dpkg --configure -a' });
  }
  return new UpdateError(code, `${what}: ${words}`, hint === undefined ? {} : { hint });
}
