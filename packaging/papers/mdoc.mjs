// Plain sentences of the sources (help texts, comments of config.toml, heads of unit files) as mdoc(7).
//
// What is marked by how it is written becomes a macro: `literal`, "value", --option, /a/path, name.d, camelCaseKey,
// page(8). Each sentence begins on a line of its own, as mandoc -T lint asks for.

const token =
  /(?<=^|\s)(\(?)(`[^`]+`|"[^"]+"|--[a-z][a-z-]*|\/(?:[\w.*@-]*[\w*@-]\/?)*|[a-z-]+\.d|[a-z]+(?:[A-Z][a-z]*)+|[a-z][\w.-]*\(\d\))([.,;:)?]*)(?=\s|$)/g;

/** Several paragraphs; a single line break within them means nothing. `keys` are the words that are set as variables. */
export function mdocText(text, keys = new Set()) {
  const paragraphs = text.trim().split(/\n\s*\n/);
  return paragraphs.map((each) => paragraph(each.replaceAll(/\s+/g, ' ').trim(), keys)).join('\n.Pp\n');
}

function paragraph(text, keys) {
  const sentences = text.split(/(?<=[^.\s][.?!]\)?) (?=[A-Z"`(/])/);
  return sentences.flatMap((sentence) => sentenceLines(sentence, keys)).join('\n');
}

function sentenceLines(sentence, keys) {
  const lines = [];
  let from = 0;
  for (const { index, 0: whole, 1: open, 2: word, 3: close } of sentence.matchAll(token)) {
    lines.push(roman(sentence.slice(from, index)));
    lines.push([macroOf(word, keys), ...close].join(' ').replace(/^\.(\w+)/, open ? '.$1 (' : '.$1'));
    from = index + whole.length;
  }
  lines.push(roman(sentence.slice(from)));
  return lines.filter((line) => line !== '');
}

function macroOf(word, keys) {
  const bare = word.replaceAll(/^[`"]|[`"]$/g, '');
  if (keys.has(bare) && !word.startsWith('"')) return `.Va ${bare}`;
  if (word.startsWith('`')) return `.Ql ${literal(bare)}`;
  if (word.startsWith('"')) return `.Dq ${literal(bare)}`;
  if (word.startsWith('--')) return `.Fl ${literal(word.slice(1))}`;
  if (word.endsWith(')')) return `.Xr ${literal(word.slice(0, -3))} ${word.at(-2)}`;
  if (/^\/|\.d$/.test(word)) return `.Pa ${literal(word)}`;
  return `.Va ${word}`;
}

/** An argument of a macro: what is typed must come out as it is typed, and is never taken for a macro. */
export function literal(words) {
  return escaped(words)
    .replaceAll('-', '\\-')
    .split(' ')
    .map((word) => (/^(?:[A-Z][a-z]|[.,:;()[\]?!|])$/.test(word) ? `\\&${word}` : word))
    .join(' ');
}

function roman(text) {
  return escaped(text.trim()).replace(/^['.]/, '\\&$&');
}

const escaped = (text) => text.replaceAll('\\', '\\e').replaceAll('"', '\\(dq');
