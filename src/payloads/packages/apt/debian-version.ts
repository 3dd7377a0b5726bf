/**
 * The order of Debian versions, as deb-version(7) has it: epoch, then upstream version, then revision; each compared
 * in turns by its non-digits (`~` before the end, letters before all else) and by its numbers.
 */

/** Negative when `a` is the older one, 0 when dpkg takes both for the same. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [parts(a), parts(b)];
  return (
    compareNumbers(left.epoch, right.epoch) ||
    comparePart(left.upstream, right.upstream) ||
    comparePart(left.revision, right.revision)
  );
}

/** dpkg writes no epoch of 0 into its database, though packages and indexes may name one; all else is as they have it. */
export function asInDatabase(version: string): string {
  return version.replace(/^0+:/, '');
}

function parts(version: string): { epoch: string; upstream: string; revision: string } {
  const colon = version.indexOf(':');
  const rest = version.slice(colon + 1);
  const dash = rest.lastIndexOf('-');
  return {
    epoch: colon < 0 ? '0' : version.slice(0, colon),
    upstream: dash < 0 ? rest : rest.slice(0, dash),
    revision: dash < 0 ? '' : rest.slice(dash + 1),
  };
}

function comparePart(a: string, b: string): number {
  let [left, right] = [a, b];
  while (left !== '' || right !== '') {
    const words = [nonDigits(left), nonDigits(right)] as const;
    const byWord = compareWords(...words);
    if (byWord !== 0) return byWord;
    left = left.slice(words[0].length);
    right = right.slice(words[1].length);
    const numbers = [digits(left), digits(right)] as const;
    const byNumber = compareNumbers(...numbers);
    if (byNumber !== 0) return byNumber;
    left = left.slice(numbers[0].length);
    right = right.slice(numbers[1].length);
  }
  return 0;
}

function compareWords(a: string, b: string): number {
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) {
    const difference = weight(a, at) - weight(b, at);
    if (difference !== 0) return difference;
  }
  return 0;
}

function weight(text: string, at: number): number {
  if (at >= text.length) return 0;
  const character = text.charAt(at);
  if (character === '~') return -1;
  const code = text.charCodeAt(at);
  return /[A-Za-z]/.test(character) ? code : code + 256;
}

/** Of any length: versions hold dates and hashes. */
function compareNumbers(a: string, b: string): number {
  const [left, right] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
  if (left.length !== right.length) return left.length - right.length;
  return left < right ? -1 : Number(left > right);
}

function nonDigits(text: string): string {
  return /^[^0-9]*/.exec(text)?.[0] ?? '';
}

function digits(text: string): string {
  return /^[0-9]*/.exec(text)?.[0] ?? '';
}
