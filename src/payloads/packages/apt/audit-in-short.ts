/** What `dpkg --audit` says, in one line: what is wrong, and with which packages. */
import { someOf } from '../../../update/some-of.js';

/**
 * It prints paragraphs of prose about dselect(1), ended by a colon, each with a line a package (` NAME   description`)
 * below. What does not look so is told whole.
 */
export function auditInShort(audit: string): string {
  const paragraphs = [...audit.matchAll(/^(\S[^:]*):\n((?:[ \t]+\S.*(?:\n|$))+)\n*/gm)];
  const isAll = paragraphs.reduce((length, [text]) => length + text.length, 0) === audit.length;
  if (!isAll) return audit.trim().replace(/\s+/g, ' ');
  return paragraphs
    .map(([, prose = '', lines = '']) => `${firstSentence(prose)}: ${namesOf(lines)}`)
    .join('; ');
}

function namesOf(lines: string): string {
  return someOf(
    lines
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s/, 1)[0] ?? ''),
  );
}

function firstSentence(prose: string): string {
  return prose
    .replace(/\s+/g, ' ')
    .replace(/\. .*|\.$/, '')
    .replace(/^The following packages/, 'packages');
}
