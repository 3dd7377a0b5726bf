/**
 * What the shell did without the service: a line each in the file that `record` of units/links writes, the boot id and one of
 * the words of update/rescue-words.ts.
 */
import { textOf } from '../host/if-there.js';
import type { RescueWord } from '../update/rescue-words.js';
import type { Ports } from './ports.js';

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
