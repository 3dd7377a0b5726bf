/** In words for a person, why a throw-away copy could not be made: out of what its programs said. Pure. */
import type { ThrowAwayEnd } from '../../host/throw-away.js';

/** mount(8) closes with it, and it helps nobody. */
const emptyWords = /^\s*dmesg\(1\) may have more information/;

export function whyNot({ stderr, exitCode }: Pick<ThrowAwayEnd, 'stderr' | 'exitCode'>): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !emptyWords.test(line));
  const last = lines.at(-1)?.trim();
  if (last === undefined) return `exit code ${exitCode ?? 'unknown'}`;
  // unshare(1): a container without the capability, a unit with RestrictNamespaces=, user.max_*_namespaces
  if (/^unshare( failed)?: /.test(last)) return `namespaces are not allowed here (${last})`;
  return last;
}
