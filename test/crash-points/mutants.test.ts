/**
 * The proof that the enumeration can fail: with any one sync left away, or two neighbouring steps exchanged, it must find
 * a state that is wrong. What it need not find stands in `harmless`, each with the reason.
 */
import t from 'tap';
import type { Mutant } from './model/effects.js';
import { explore, type Story } from './model/explore.js';
import { isThorough, narrow, takenBack, withoutFallback } from './stories.js';

const row = (program: string, event: string): string =>
  `${program}: journal: ${event} > file ID/journal.jsonl`;

const found: { story: Story; syncs: readonly string[]; swaps: readonly [then: string, first: string][] }[] = [
  {
    story: withoutFallback,
    syncs: [
      'trigger: replace ./action > file ./.action.new',
      'trigger: link ./open > folder .',
      row('trigger', 'armed'),
      'trigger: link /system-update > folder /',
      'run: syncFileSystem / > file system /',
      row('run', 'installing'),
      'confirm: replace ID/report.json > file ID/.report.json.new',
      'confirm: replace ID/report.json > folder ID',
      'confirm: removeTree /var/lib/system-update > folder /var/lib',
      'confirm: remove ./claims > folder .',
    ],
    swaps: [
      ['trigger: remove ./open', 'trigger: link ./open'],
      ['trigger: link ./open', 'trigger: journal: armed'],
      ['trigger: journal: armed', 'trigger: link /system-update'],
    ],
  },
  {
    story: takenBack,
    syncs: ['cancel: remove /system-update > folder /', row('cancel', 'cancelled')],
    swaps: [
      ['cancel: remove /system-update', 'cancel: journal: cancelled'],
      ['cancel: journal: cancelled', 'cancel: remove ./open'],
    ],
  },
];

const again =
  'lost, the next boot finds the mark of an open update, or the link, and does the same once more';

/** Syncs without which every state still ends well. */
const harmless: Record<string, string> = {
  'trigger: replace ID/baseline.json > file ID/.baseline.json.new': 'without a baseline the verdict warns',
  'trigger: replace ID/baseline.json > folder ID': 'without a baseline the verdict warns',
  'trigger: replace ./action > folder .':
    'the mark of an open update lies in the same folder and is synced next',
  'claim: syncFolder / > folder /': 'the link has its former name again and is claimed once more',
  'claim: syncFile ./claims > file ./claims': 'one claim is not counted; the journal counts the attempts',
  [row('run', 'claimed')]: 'nothing is changed yet, and the next row makes this one durable, too',
  [row('run', 'installed')]:
    'the row of the phase makes it durable before the machine is left; until then it is resumed',
  'run: replace ID/report.json > file ID/.report.json.new': 'the report is written anew with the verdict',
  'run: replace ID/report.json > folder ID': 'the report is written anew with the verdict',
  'run: remove /system-update.claimed > folder /':
    'the machine comes back to the update boot, which only leaves',
  [row('confirm', 'confirmed')]: 'the note that follows makes it durable before anything is taken away',
  'confirm: remove ./action > folder .': 'the next removal in the same folder makes it durable',
  'confirm: remove ./open > folder .': again,
  'cancel: remove ./open > folder .': again,
  'cancel: remove ./action > folder .': 'a word that the next trigger writes anew',
};

/** The package manager's own, and rows that only tell: the next row makes them durable. */
const isOfOthers = (sync: string): boolean => /package manager|journal: note/.test(sync);

async function isFound(story: Story, mutant: Mutant): Promise<boolean> {
  const { failures } = await explore(story, narrow, { mutant, stopAtFailure: true });
  return failures.length > 0;
}

for (const { story, syncs, swaps } of found) {
  void t.test(`invariant 3: ${story.name}, with one sync left away`, async (t) => {
    for (const without of syncs) t.ok(await isFound(story, { without }), without);
  });

  void t.test(`invariant 3: ${story.name}, with two neighbouring steps exchanged`, async (t) => {
    for (const [then, first] of swaps) t.ok(await isFound(story, { then, first }), `${first} before ${then}`);
  });

  void t.test(`${story.name}: each sync of the protocol is in the tables`, async (t) => {
    const { syncs: made } = await explore(story, { ...narrow, cuts: 0 });
    const known = new Set([...found.flatMap((each) => each.syncs), ...Object.keys(harmless)]);
    t.strictSame(
      [...made].filter((sync) => !isOfOthers(sync) && !known.has(sync)),
      [],
    );
  });

  void t.test(`${story.name}: what is called harmless is`, { skip: !isThorough }, async (t) => {
    const { syncs: made } = await explore(story, { ...narrow, cuts: 0 });
    for (const without of Object.keys(harmless).filter((sync) => made.has(sync))) {
      t.notOk(await isFound(story, { without }), without);
    }
  });
}
