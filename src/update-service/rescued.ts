/**
 * What the shell did without the service, in the update boot or before a machine went down: a line each in the file that
 * `record` of units/links writes, the boot id and one of these words. A test compares them with the scripts.
 */
import { textOf } from '../host/if-there.js';
import type { Ports } from './ports.js';

export const rescueWords = [
  'boot-files-not-restored',
  'boot-files-restored',
  'claimed-too-often',
  'copy-not-begun',
  'copy-not-restored',
  'copy-restored',
  'ended-without-leaving',
  'fallback-boots-next',
  'left-by-guard',
  'never-started',
  'nothing-changed',
  'packages-changed',
  'roll-forward-failed',
  'rolled-forward',
] as const;
export type RescueWord = (typeof rescueWords)[number];

/** In their order. A script of another version may know other words, which are told as they are. */
export type Rescued = readonly string[];

/** A line that a power cut has torn may lack its word; the next one tells it. */
export async function readRescued({ fs, paths }: Pick<Ports, 'fs' | 'paths'>): Promise<Rescued> {
  const lines = (await textOf(fs, paths.rescued)).split('\n');
  return lines.filter((line) => line.includes(' ')).map((line) => line.slice(line.indexOf(' ') + 1));
}

/** Is one of these words among them? */
export function tells(rescued: Rescued, ...words: RescueWord[]): boolean {
  return lastTold(rescued, ...words) !== undefined;
}

/** Is there no other word than this one? */
export function tellsOnly(rescued: Rescued, word: RescueWord): boolean {
  return rescued.length > 0 && rescued.every((each) => each === word);
}

/** The one of these words that was said last. */
export function lastTold<W extends RescueWord>(rescued: Rescued, ...words: W[]): W | undefined {
  const said = rescued.flatMap((each) => words.find((word) => word === each) ?? []);
  return said.at(-1);
}
