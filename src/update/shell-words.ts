/** Words as a shell takes them: quoted where one of their characters means something to it. */
export function shellWords(words: readonly string[]): string {
  return words.map(quoted).join(' ');
}

function quoted(word: string): string {
  // A tilde means a home at the beginning of a word, and behind = and :, but not in 2.0~rc1.
  const isPlain = /^[\w@%+=:,./~-]+$/.test(word) && !/(^|[=:])~/.test(word);
  return isPlain ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
