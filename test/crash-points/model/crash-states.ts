/**
 * What a power cut may leave of a disk at one instant. Of the ops that are not durable yet:
 *
 * - on names and attributes: any subset while there are few; of many none, all, each prefix, all but one, one alone, and
 *   random subsets;
 * - data of each file: lost, torn (half of what was new), each write that came before, or kept, together with each
 *   choice of names while there are few, else all files alike and each file apart.
 */
import { applyTo, type Disk, type Graph, type Op } from './disk.js';

export interface Thoroughness {
  /** So many ops on names have all their subsets. */
  allSubsetsUpTo: number;
  /** Beyond that, so many random subsets beside the regular ones. */
  randomSubsets: number;
  /** At most so many states of one instant; what is left out is chosen at random. */
  statesPerInstant: number;
  /** A number from 0 to 1, by a seed. */
  random: () => number;
}

type DataOp = Extract<Op, { kind: 'data' }>;

/** Every state as a whole disk, the one in which all is lost first. */
export function crashStates(disk: Pick<Disk, 'durable' | 'pending'>, how: Thoroughness): Graph[] {
  const structure = disk.pending.filter((op) => op.kind !== 'data');
  const data = disk.pending.filter((op) => op.kind === 'data');
  const choices: Op[][] = [];
  for (const names of subsets(structure, how)) {
    for (const texts of textsLeft(disk.durable, data)) choices.push([...names, ...texts]);
  }
  return thinned(choices, how).map((ops) => {
    const graph = new Map(disk.durable);
    for (const op of ops) applyTo(graph, op);
    return graph;
  });
}

function subsets(ops: readonly Op[], { allSubsetsUpTo, randomSubsets, random }: Thoroughness): Op[][] {
  const count = ops.length;
  const chosen: ((at: number) => boolean)[] = [];
  if (count <= allSubsetsUpTo) {
    for (let bits = 0; bits < 2 ** count; bits += 1) chosen.push((at) => ((bits >> at) & 1) === 1);
  } else {
    for (let length = 0; length <= count; length += 1) chosen.push((at) => at < length);
    for (let one = 0; one < count; one += 1) {
      chosen.push(
        (at) => at !== one,
        (at) => at === one,
      );
    }
    for (let number = 0; number < randomSubsets; number += 1) {
      const kept = ops.map(() => random() < 0.5);
      chosen.push((at) => kept[at] === true);
    }
  }
  return chosen.map((isKept) => ops.filter((_, at) => isKept(at)));
}

/** Each answer: at most one op a file, which gives it the text that it is left with. */
function textsLeft(durable: Graph, data: readonly DataOp[]): DataOp[][] {
  const files = [...new Set(data.map(({ inode }) => inode))].map((inode) => {
    const writes = data.filter((op) => op.inode === inode);
    const torn = writes.map((op, at) => ({
      ...op,
      text: halfOf(writes[at - 1]?.text ?? durable.get(inode)?.text ?? '', op.text),
    }));
    return { lost: undefined, kept: writes.at(-1), others: [...torn, ...writes.slice(0, -1)] };
  });
  const [only, other] = files;
  const levels = (file: (typeof files)[number]): (DataOp | undefined)[] => [
    file.lost,
    file.kept,
    ...file.others,
  ];
  const combined: (DataOp | undefined)[][] = [];
  if (only === undefined) combined.push([]);
  else if (other === undefined) combined.push(...levels(only).map((level) => [level]));
  else if (files.length === 2) {
    for (const one of levels(only)) combined.push(...levels(other).map((level) => [one, level]));
  } else {
    combined.push(
      [],
      files.map(({ kept }) => kept),
      files.map(({ others }) => others[0]),
    );
    for (const file of files) {
      combined.push(
        [file.kept],
        files.map((each) => (each === file ? each.lost : each.kept)),
      );
      combined.push(files.map((each) => (each === file ? each.others[0] : each.kept)));
    }
  }
  return combined.map((ops) => ops.filter((op) => op !== undefined));
}

function halfOf(before: string, after: string): string {
  const from = after.startsWith(before) ? before.length : 0;
  return after.slice(0, from + Math.ceil((after.length - from) / 2));
}

/** The first and the last, which lose and keep most, are always among them. */
function thinned<T>(all: T[], { statesPerInstant, random }: Thoroughness): T[] {
  if (all.length <= statesPerInstant) return all;
  const share = statesPerInstant / all.length;
  return all.filter((_, at) => at === 0 || at === all.length - 1 || random() < share);
}
