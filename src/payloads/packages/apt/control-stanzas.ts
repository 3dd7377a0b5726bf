/**
 * Stanzas of `Field: value` lines as deb822(5) has them: package indexes, control files, apt's extended_states.
 * Continuation lines stay in the value with their leading blank. Field names are not case sensitive.
 */
export type Stanza = [name: string, value: string][];

export function parseStanzas(text: string): Stanza[] {
  const stanzas: Stanza[] = [];
  let current: Stanza = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '') {
      if (current.length > 0) stanzas.push(current);
      current = [];
    } else if (/^[ \t]/.test(line)) {
      const last = current.at(-1);
      if (last) last[1] += `\n${line}`;
    } else if (!line.startsWith('#')) {
      const colon = line.indexOf(':');
      if (colon > 0) current.push([line.slice(0, colon), line.slice(colon + 1).trim()]);
    }
  }
  if (current.length > 0) stanzas.push(current);
  return stanzas;
}

export function field(stanza: Stanza, wanted: string): string | undefined {
  const name = wanted.toLowerCase();
  return stanza.find(([one]) => one.toLowerCase() === name)?.[1];
}
