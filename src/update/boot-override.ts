/**
 * The word of a kernel command line that names another boot target, or undefined. `systemd.unit=` and the runlevel
 * words win over the redirect of a generator: the update then waits (systemd.md, section 1).
 */
const runlevelWords = new Set([
  'emergency',
  '-b',
  'rescue',
  'single',
  '-s',
  's',
  'S',
  '1',
  '2',
  '3',
  '4',
  '5',
]);

export function bootTargetOverride(words: readonly string[]): string | undefined {
  return words.findLast(
    (word) => runlevelWords.has(word) || (word.startsWith('systemd.unit=') && word !== 'systemd.unit='),
  );
}
