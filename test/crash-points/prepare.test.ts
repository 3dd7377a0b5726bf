/** A `prepare` over a plan that is there already, the power cut at every instant: one of the two plans, whole. */
import t from 'tap';
import { explorePrepare } from './model/explore-prepare.js';
import { breadth, narrow } from './stories.js';

const folder = '/var/lib/system-update';
const step = (words: string, sync: string): string => `prepare: ${words} > ${sync}`;

const recorded = [
  step(`syncFileSystem ${folder}.next`, `file system ${folder}.next`),
  step('makeFolder ID', 'folder ./updates'),
  step('replace ID/plan.json', 'file ID/.plan.json.new'),
  step('replace ID/plan.json', 'folder ID'),
  step('journal: prepared', 'file ID/journal.jsonl'),
];
const cleared = 'what is left of a former plan is cleared by the next run';

const ways = [
  {
    exchanges: true,
    what: 'by an exchange of two names',
    caught: [...recorded, step(`exchange ${folder}.next and ${folder}`, 'folder /var/lib')],
    harmless: { [step(`removeTree ${folder}.next (2)`, 'folder /var/lib')]: cleared },
    /** Done in this order; exchanged, a state is wrong. */
    swaps: [[`prepare: journal: prepared`, `prepare: exchange ${folder}.next and ${folder}`]],
  },
  {
    exchanges: false,
    what: 'by two renames, where two names cannot be exchanged',
    caught: [...recorded, step(`rename ${folder}.next and ${folder}`, 'folder /var/lib')],
    harmless: {
      [step(`rename ${folder} and ${folder}.former`, 'folder /var/lib')]:
        'both renames are in one folder: the sync after the second holds for the first',
      [step(`removeTree ${folder}.former`, 'folder /var/lib')]: cleared,
    },
    swaps: [[`prepare: journal: prepared`, `prepare: rename ${folder}.next and ${folder}`]],
  },
] as const;

for (const { exchanges, what, caught, harmless, swaps } of ways) {
  void t.test(`invariant 3: a plan is replaced ${what}, cut at every instant`, async (t) => {
    const { states, found, problems, syncs } = await explorePrepare({ exchanges, how: breadth.how });
    t.comment(`${states} states: ${[...found].map(([plan, count]) => `${count} ${plan}`).join('; ')}`);
    t.strictSame([...problems], []);
    t.strictSame([...found.keys()], ['the former plan', 'the new plan']);
    const forgotten = step('removeTree ID', 'folder ./updates');
    const known: readonly string[] = [...caught, ...Object.keys(harmless), forgotten];
    t.strictSame(
      [...syncs].filter((sync) => !known.includes(sync)),
      [],
      'each sync is in the tables',
    );
  });

  void t.test(`invariant 3: a plan is replaced ${what}, with one sync left away`, async (t) => {
    for (const without of caught) {
      const { problems } = await explorePrepare({
        exchanges,
        how: narrow.how,
        mutant: { without: [without] },
      });
      t.not(problems.size, 0, without);
    }
    for (const [then, first] of swaps) {
      const { problems } = await explorePrepare({ exchanges, how: narrow.how, mutant: { then, first } });
      t.not(problems.size, 0, `${first} before ${then}`);
    }
  });
}
