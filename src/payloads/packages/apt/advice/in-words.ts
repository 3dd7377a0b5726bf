const shown = 5;

/** Some names and how many more, in byte order. */
export function inWordsOf(names: readonly string[]): string {
  const sorted = [...names].sort();
  const more = sorted.length - shown;
  return sorted.slice(0, shown).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
