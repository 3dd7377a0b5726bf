/**
 * The way back by a copy (docs/copy.md), cut at every instant: the real `save` and the real units/restore on a real folder,
 * step by step on the model disk (shell/replay.ts). From each state the copy is put back once more, by the real script, as the
 * rescue unit does it; a second cut is a state of the first kind, since the copy is only read.
 */
import { symlinkSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { basename, join } from 'node:path';
import t from 'tap';
import { fileSystem, type FileSystem } from '../../src/host/file-system.js';
import { copySnapshots } from '../../src/snapshots/copy/copy.js';
import { save } from '../../src/snapshots/copy/save.js';
import { copy, copyPorts, makeNew, mark, selection, programs, systemOf } from './shell/copied-machine.js';
import {
  explore,
  fallbacks,
  isLink,
  newMachine,
  problemOf,
  stateFolder,
  textOf,
  type Machine,
} from './shell/put-back.js';
import { replay, type CrashState } from './shell/replay.js';
import { keeping, stepsIn, trace, type Step } from './shell/traced.js';

const how = { allSubsetsUpTo: 3, randomSubsets: 1, statesPerInstant: 4 };
/** For mutants: what a missing sync leaves shows only in some mixtures. */
const wide = { allSubsetsUpTo: 4, randomSubsets: 2, statesPerInstant: 12 };

/** Steps of the real script, from the midst of an install to the end. */
async function restoring(machine: Machine): Promise<Step[]> {
  const { root, scratch } = machine;
  await save(copyPorts(root), join(root, copy), mark, () => Promise.resolve(selection));
  symlinkSync(basename(copy), join(root, fallbacks, 'armed'));
  makeNew(root);
  const { status, stderr, steps } = trace([join(root, copy, 'restore'), root], { root, scratch, programs });
  if (status !== 0) throw new Error(`the copy is not put back: ${stderr}`);
  return steps;
}

const putBack = {
  caught: [
    'sync -- boot/grub.cfg.offline-update-next',
    'sync',
    'sync (2)',
    'sync (3)',
    'sync var/lib/offline-update/fallback.json.offline-update-next',
    'sync var/lib/offline-update',
  ],
  harmless: {
    'sync -- boot/vmlinuz-1.offline-update-next':
      'it was missing: the sync of all that was follows before the menu names it',
    [`sync ${fallbacks}`]: 'the copy is armed still, and is put back once more',
  } as Record<string, string>,
};

void t.test('invariants 4 and 6: a copy is put back, cut at every instant', async (t) => {
  const machine = newMachine(t);
  const steps = await restoring(machine);
  t.strictSame(systemOf(machine.root), machine.old, 'without a cut');
  const { count, problems } = explore(machine, steps, { how }, problemOf);
  t.comment(`${count} states`);
  t.strictSame(problems, []);

  const { syncs } = replay(steps, { root: machine.root, how });
  t.strictSame(
    syncs.filter((sync) => !putBack.caught.includes(sync)),
    Object.keys(putBack.harmless),
  );
  for (const without of putBack.caught) {
    t.not(
      explore(machine, steps, { without, how: wide }, problemOf).problems.length,
      0,
      `without: ${without}`,
    );
  }
});

/** The product's own acts: each of its syncs is a step; what lies between two of them is not durable. */
async function stepping(
  { root, scratch }: Machine,
  act: (fs: FileSystem) => Promise<unknown>,
): Promise<Step[]> {
  const keep = keeping(root, scratch);
  const step = (...words: string[]): Promise<void> => {
    spawnSync('/bin/sh', ['-euc', keep(words.join(' '))]);
    return Promise.resolve();
  };
  await step('begin');
  await act({
    ...fileSystem,
    syncFile: (path) => step('sync', path),
    syncFolder: (path) => step('sync', path),
    syncFileSystem: (path) => step('sync', '--file-system', path),
  });
  await step('end');
  return stepsIn(scratch);
}

const provider = (machine: Machine, fs: FileSystem) =>
  copySnapshots({ ...copyPorts(machine.root, fs), mounts: () => Promise.resolve([]) });
const reference = { provider: 'copy', reference: basename(copy) };

interface Act {
  what: string;
  /** What has happened before, durable. */
  before?: (machine: Machine) => Promise<unknown>;
  act: (machine: Machine, fs: FileSystem) => Promise<unknown>;
  /** Of each state; `isTold`: the act has returned. */
  judge: (machine: Machine, root: string, isTold: boolean) => string | undefined;
  caught: readonly string[];
  harmless: Record<string, string>;
}

const copyOf = (name: string): string => `sync ${fallbacks}${name}`;
const covered = 'the sync of the file system that follows makes it durable, before anything relies on it';
const acts: Act[] = [
  {
    what: 'armed',
    act: (machine, fs) => provider(machine, fs).armFallback(basename(copy)),
    judge(machine, root, isTold) {
      if (!isLink(join(root, fallbacks, 'armed'))) return isTold ? 'it is not armed' : undefined;
      // All that a copy of these files can make good: the package of the plan, /etc, /boot, the database.
      makeNew(root);
      const env = { PATH: `${machine.bin}:/usr/bin:/bin` };
      const { status, stderr } = spawnSync(join(root, copy, 'restore'), [root], { env, encoding: 'utf8' });
      if (status !== 0) return `it cannot be put back: ${stderr.replaceAll(root, '')}`;
      const system = systemOf(root);
      const different = Object.keys({ ...machine.old, ...system }).filter(
        (path) => machine.old[path] !== system[path],
      );
      return different.length === 0 ? undefined : `not as before: ${different.join(' ')}`;
    },
    caught: [`sync --file-system ${fallbacks}/ID`, copyOf(' (2)')],
    harmless: {
      [copyOf('')]: covered,
      [copyOf('/ID')]: covered,
      'sync /': 'of /run, which is memory',
    },
  },
  {
    what: 'committed',
    before: async (machine) => {
      await provider(machine, fileSystem).armFallback(basename(copy));
      makeNew(machine.root);
    },
    act: (machine, fs) => provider(machine, fs).commit(reference),
    judge(_machine, root, isTold) {
      const committed = join(root, copy, 'committed');
      if (isLink(join(root, fallbacks, 'armed')))
        return isTold ? 'the next boot would put it back' : undefined;
      return /^[0-9a-f]{64}\n$/.test(textOf(committed) ?? '') ? undefined : 'no rollback would find it';
    },
    caught: [copyOf('/ID/.committed.new'), copyOf('/ID'), copyOf('')],
    harmless: {
      [copyOf('/ID/brought')]: 'a list that is not what was written puts nothing back, which is told',
      [copyOf('/ID/brought.sum')]: 'the same',
    },
  },
  {
    what: 'made the way back by hand',
    before: async (machine) => {
      await provider(machine, fileSystem).armFallback(basename(copy));
      makeNew(machine.root);
      await provider(machine, fileSystem).commit(reference);
    },
    act: (machine, fs) => provider(machine, fs).revert(reference, basename(copy), 'rollback'),
    judge(_machine, root, isTold) {
      const [armed, claimed] = [
        isLink(join(root, fallbacks, 'armed')),
        isLink(join(root, 'system-update.claimed')),
      ];
      if (isTold && !(armed && claimed)) return 'the next boot does not put it back';
      return claimed && !armed ? 'the next boot is an update boot for nothing' : undefined;
    },
    caught: [copyOf(''), 'sync /'],
    harmless: {},
  },
];

for (const { what, before, act, judge, caught, harmless } of acts) {
  void t.test(`invariants 3 and 4: a copy is ${what}, cut at every instant`, async (t) => {
    const machine = newMachine(t);
    await before?.(machine);
    const steps = await stepping(machine, (fs) => act(machine, fs));
    const judged = (_: Machine, { graph, steps: over }: CrashState): string | undefined =>
      judge(machine, stateFolder(machine, graph), over === steps.length);
    const { count, problems } = explore(machine, steps, { how }, judged);
    t.comment(`${count} states`);
    t.strictSame(problems, []);
    const { syncs } = replay(steps, { root: machine.root, how });
    t.strictSame(
      syncs.filter((sync) => !caught.includes(sync)),
      Object.keys(harmless),
    );
    for (const without of caught)
      t.not(
        explore(machine, steps, { without, how: wide }, judged).problems.length,
        0,
        `without: ${without}`,
      );
  });
}
