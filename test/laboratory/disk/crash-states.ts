import { closeSync, constants, copyFileSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { DiskLog, DiskWrite } from './disk-log.js';
import { randomNumbers } from '../../fixtures/random-numbers.js';

/**
 * A disk as a power cut may leave it: the power goes after event number `at` of the log. Everything up to the last flush
 * before is there; of the writes since then
 * - `lost`: none,
 * - `prefix`: all, as on a disk that writes in order,
 * - `subset`: a random subset,
 * - `torn`: a random subset of their blocks of 4 KiB, the smallest part that today's disks write in one piece.
 */
export interface CrashPoint {
  at: number;
  kind: CrashKind;
  /** Decides what is there of `subset` and `torn`. */
  seed: number;
}

export const crashKinds = ['lost', 'prefix', 'subset', 'torn'] as const;
export type CrashKind = (typeof crashKinds)[number];

const tornBytes = 4096;

/**
 * Rebuilds crash states as disk images, in the order of their `at`. The folder must be on a file system that shares blocks
 * (reflink), so that an image is made in milliseconds whatever its size.
 */
export class CrashStates {
  readonly #log: DiskLog;
  readonly #folder: string;
  readonly #durable: string;
  /** The first event that is not in the durable image yet. */
  #next = 0;
  #image: string | undefined;
  #made = 0;

  /** `base`: the image as it was when the recording began. */
  constructor(log: DiskLog, base: string, folder: string) {
    [this.#log, this.#folder, this.#durable] = [log, folder, join(folder, 'durable')];
    share(base, this.#durable);
  }

  /** The path of an image, which is there until the next one is made. Points must come in the order of `at`. */
  image(point: CrashPoint): string {
    // A file of its own: whoever still has the one before open must not write into this one.
    if (this.#image !== undefined) rmSync(this.#image);
    const image = join(this.#folder, `state-${(this.#made += 1)}`);
    this.#image = image;
    const { events } = this.#log;
    const flushed = events.findLastIndex(({ kind }, number) => kind === 'flush' && number <= point.at) + 1;
    if (flushed < this.#next) throw new RangeError(`a state at ${point.at} comes after one at ${this.#next}`);
    this.#apply(this.#durable, this.#writes(this.#next, flushed), whole);
    this.#next = flushed;
    share(this.#durable, image);
    this.#apply(image, this.#writes(flushed, point.at + 1), survivors(point));
    return image;
  }

  #writes(from: number, end: number): DiskWrite[] {
    return this.#log.events.slice(from, end).filter((event) => event.kind === 'write');
  }

  #apply(image: string, writes: readonly DiskWrite[], parts: Parts): void {
    const file = openSync(image, 'r+');
    for (const write of writes) {
      const data = this.#log.data(write);
      for (const { from, length } of parts(write.length)) {
        writeSync(file, data, from, length, write.offset + from);
      }
    }
    closeSync(file);
  }
}

/** Replaces `to`. */
function share(from: string, to: string): void {
  copyFileSync(from, to, constants.COPYFILE_FICLONE_FORCE);
}

/** Which parts of a write of this many bytes are on the medium. */
type Parts = (length: number) => readonly { from: number; length: number }[];

const whole: Parts = (length) => [{ from: 0, length }];

function survivors({ kind, seed }: CrashPoint): Parts {
  const random = randomNumbers(seed);
  // Few or many of them: with an even chance, a state that lacks or has one single write would hardly ever come.
  const chance = random();
  switch (kind) {
    case 'lost':
      return () => [];
    case 'prefix':
      return whole;
    case 'subset':
      return (length) => (random() < chance ? whole(length) : []);
    case 'torn':
      return (length) => blocks(length).filter(() => random() < chance);
  }
}

function blocks(length: number): { from: number; length: number }[] {
  return Array.from({ length: Math.ceil(length / tornBytes) }, (_, index) => {
    const from = index * tornBytes;
    return { from, length: Math.min(tornBytes, length - from) };
  });
}
