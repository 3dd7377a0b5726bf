/** As many as stand well in the midst of a sentence. */
export const FEW = 3;

/** `a, b and 4 more`: the first of a list, and how many there are besides. */
export function someOf(items: readonly string[], shown = 5): string {
  const more = items.length > shown ? ` and ${items.length - shown} more` : '';
  return `${items.slice(0, shown).join(', ')}${more}`;
}
