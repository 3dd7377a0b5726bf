/**
 * The words of a kernel command line that name another boot target. They win over the redirect of a generator: the
 * update then waits. The list is the one of systemd's own generator (runlevel_to_target).
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

export function bootTargetOverrides(words: readonly string[]): string[] {
  return words.filter(
    (word) => runlevelWords.has(word) || (word.startsWith('systemd.unit=') && word !== 'systemd.unit='),
  );
}
