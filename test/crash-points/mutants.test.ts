/**
 * The proof that the enumeration can fail: with any one sync left away, or two steps exchanged, it must find a state that is
 * wrong. Syncs that stand in for each other are left away together. What it need not find stands in `harmless-syncs.ts`,
 * each with the reason; a test holds that there is no third kind.
 */
import { dirname } from 'node:path';
import t from 'tap';
import { harmless, harmlessByHand, harmlessWithFallback } from './harmless-syncs.js';
import type { Mutant } from './model/effects.js';
import { explore, type Story } from './model/explore.js';
import * as told from './stories.js';

const { isThorough, narrow, precise } = told;

const row = (program: string, event: string): string =>
  `${program}: journal: ${event} > file ID/journal.jsonl`;
const topLevel = (program: string, count = ''): string =>
  `${program}: syncFileSystem top${count} > file system top`;
const writtenIn = (step: string, folder: string): string =>
  `${step} > file ${folder}/.${step.split('/').at(-1) ?? ''}.new`;
const markOfOther = 'top/@.other/var/lib/offline-update/fallback.json';
const markIn = (program: string): string =>
  writtenIn(`${program}: replace ${markOfOther}`, dirname(markOfOther));

interface Mutants {
  story: Story;
  /** One, or those that stand in for each other. */
  syncs: readonly (string | readonly string[])[];
  swaps?: readonly (readonly [then: string, first: string])[];
  /** Syncs of boots that follow only upon a cut. */
  late?: readonly string[];
  harmless: Record<string, string>;
}

/** Of the online half and of the confirmation: the same in each story, and tried in the first. */
const shared = [
  'trigger: replace ./action > file ./.action.new',
  'trigger: link ./open > folder .',
  row('trigger', 'armed'),
  'trigger: link /system-update > folder /',
  'confirm: replace ID/report.json > file ID/.report.json.new',
  'confirm: replace ID/report.json > folder ID',
  'confirm: removeTree /var/lib/system-update > folder /var/lib',
  'confirm: remove ./claims > folder .',
];

const mutants: readonly Mutants[] = [
  {
    story: told.withoutFallback,
    syncs: [
      ...shared,
      'run: syncFileSystem / > file system /',
      'run: syncFileSystem / (2) > file system /',
      row('run', 'installing'),
    ],
    swaps: [
      ['trigger: remove ./open', 'trigger: link ./open'],
      ['trigger: link ./open', 'trigger: journal: armed'],
      ['trigger: journal: armed', 'trigger: link /system-update'],
    ],
    harmless,
  },
  {
    story: told.takenBack,
    syncs: ['cancel: remove /system-update > folder /', row('cancel', 'cancelled')],
    swaps: [
      ['cancel: remove /system-update', 'cancel: journal: cancelled'],
      ['cancel: journal: cancelled', 'cancel: remove ./open'],
    ],
    harmless,
  },
  {
    story: told.byName,
    syncs: [
      topLevel('run'),
      topLevel('run', ' (2)'),
      ['run: syncFileSystem / (2) > file system /', 'run: syncFileSystem / (3) > file system /'],
      writtenIn('run: replace /boot/grub/grub.cfg', '/boot/grub'),
      'run: replace /boot/grub/grub.cfg > folder /boot/grub',
    ],
    swaps: [
      ['run: exchange top/@ and top/@.other', 'run: step of the package manager (10)'],
      ['run: replace /boot/grub/grub.cfg', 'run: exchange top/@ and top/@.other (2)'],
    ],
    harmless: harmlessWithFallback,
  },
  {
    story: told.byDefault,
    syncs: [
      topLevel('run'),
      ['run: syncFileSystem / (2) > file system /', 'run: syncFileSystem / (3) > file system /'],
    ],
    swaps: [
      ['run: btrfs set-default', 'run: step of the package manager (10)'],
      [
        `run: rename ${markOfOther.replace('fallback', '.fallback')}.new and ${markOfOther}`,
        'run: btrfs set-default',
      ],
    ],
    late: [row('recover', 'reverted'), 'recover: syncFile ID/term.log.new > file ID/term.log.new'],
    harmless: {
      ...harmlessWithFallback,
      [topLevel('run', ' (2)')]: 'what the package manager writes is on the disk after it',
    },
  },
  {
    story: told.failing,
    syncs: [
      topLevel('run'),
      topLevel('run', ' (2)'),
      'run: syncFile top/@ID/term.log.new > file top/@ID/term.log.new',
      'recover: syncFile ID/term.log.new > file ID/term.log.new',
      'recover: replace ID/journal.jsonl > file ID/.journal.jsonl.new',
      'recover: replace ID/report.json > file ID/.report.json.new',
    ],
    harmless: {
      ...harmlessWithFallback,
      'recover: replace ID/report.json > folder ID': 'the one that was brought over says the same',
    },
  },
  {
    story: told.unhealthy,
    syncs: [
      topLevel('run'),
      topLevel('run', ' (2)'),
      'run: replace /boot/grub/grub.cfg > folder /boot/grub',
      'confirm: syncFile top/@ID/term.log.new > file top/@ID/term.log.new',
      row('recover', 'reverted'),
      'recover: syncFile ID/term.log.new > file ID/term.log.new',
      'recover: replace ID/report.json > file ID/.report.json.new',
      'recover: replace ID/report.json > folder ID',
    ],
    swaps: [
      ['recover: journal: reverted', 'recover: remove ./fallback.json'],
      ['recover: replace ID/journal.jsonl', 'recover: remove ./fallback.json'],
    ],
    harmless: {
      ...harmlessWithFallback,
      'recover: replace ID/journal.jsonl > file ID/.journal.jsonl.new':
        'the row that follows is appended to it, and makes it durable',
      [writtenIn('run: replace /boot/grub/grub.cfg', '/boot/grub')]: 'of the update that is given up',
    },
  },
  {
    story: told.backByName,
    syncs: [
      topLevel('rollback', ' (2)'),
      [markIn('rollback'), topLevel('rollback'), topLevel('rollback', ' (2)')],
      'rollback: replace ./fallback.json > file ./.fallback.json.new',
      'recover: replace ID/report.json > file ID/.report.json.new',
      'recover: removeTree /var/lib/system-update > folder /var/lib',
    ],
    harmless: harmlessByHand,
  },
  {
    story: told.backByDefault,
    syncs: [
      'rollback: replace ./fallback.json > file ./.fallback.json.new',
      topLevel('rollback', ' (2)'),
      [markIn('rollback'), topLevel('rollback'), topLevel('rollback', ' (2)')],
      'recover: replace ID/report.json > file ID/.report.json.new',
      'recover: removeTree /var/lib/system-update > folder /var/lib',
    ],
    swaps: [['recover: journal: note rolled-back', 'recover: remove ./fallback.json']],
    harmless: harmlessByHand,
  },
  {
    story: told.usedUp,
    syncs: ['run: syncFileSystem / > file system /', 'run: syncFileSystem / (2) > file system /'],
    late: [row('run', 'blocked')],
    harmless: {
      ...harmless,
      [row('run', 'installing')]:
        'where one attempt is all there is, it is blocked with the row or without it',
    },
  },
];

/**
 * The package manager's own, and rows that only tell: the next row makes them durable. That of a phase is written beside the
 * next one, which may sync the disks just then.
 */
const isOfOthers = (sync: string): boolean =>
  /package manager|journal: note|syncFileSystem .* > file ID\/journal\.jsonl$/.test(sync);

async function isFound(story: Story, mutant: Mutant, isLate = false): Promise<boolean> {
  const first = isLate ? { ...precise, cuts: 2 } : narrow;
  const options = { mutant, stopAtFailure: true, everywhere: isLate };
  if ((await explore(story, first, options)).failures.length > 0) return true;
  // What shows in certain mixtures only.
  return !isLate && (await explore(story, precise, options)).failures.length > 0;
}

for (const { story, syncs, swaps = [], late = [], harmless: known } of mutants) {
  void t.test(`invariant 3: ${story.name}, with one sync left away`, async (t) => {
    for (const sync of syncs) {
      const without = [sync].flat();
      t.ok(await isFound(story, { without }), without.join(' and '));
    }
    for (const sync of late) t.ok(await isFound(story, { without: [sync] }, true), sync);
  });

  void t.test(`invariant 3: ${story.name}, with two steps exchanged`, async (t) => {
    for (const [then, first] of swaps) t.ok(await isFound(story, { then, first }), `${first} before ${then}`);
  });

  void t.test(`${story.name}: each sync of the protocol is in the tables`, async (t) => {
    const { syncs: made } = await explore(story, { ...narrow, cuts: 0 });
    const tables = new Set([...shared, ...syncs.flat(), ...Object.keys(known)]);
    t.strictSame(
      [...made].filter((sync) => !isOfOthers(sync) && !tables.has(sync)),
      [],
    );
  });

  void t.test(`${story.name}: what is called harmless is`, { skip: !isThorough }, async (t) => {
    const { syncs: made } = await explore(story, { ...narrow, cuts: 0 });
    for (const without of Object.keys(known).filter((sync) => made.has(sync))) {
      t.notOk(await isFound(story, { without: [without] }), without);
    }
  });
}
