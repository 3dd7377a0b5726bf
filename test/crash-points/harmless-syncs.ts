/** Syncs without which every state still ends well, each with the reason; `mutants.test.ts` holds that no other is left. */

const again =
  'lost, the next boot finds the mark of an open update, or the link, and does the same once more';
const anew = 'the report is written anew with the verdict';
const givenUp = 'it lies in the root that is given up, which nobody boots any more';
const wholeDisk =
  'the sync of the whole disk before or after the switch holds for it, too (left away together: found)';
const broughtAgain = 'the first boot of the fallback brings it over again, as long as its mark is there';
const sameFolder = 'the report, or the next removal, lies in the same folder and is synced next';
const oldRoot = 'lost, the old root boots, and says so';

const journal = (program: string, event: string): string =>
  `${program}: journal: ${event} > file ID/journal.jsonl`;
const writtenReport = (step: string): string => `${step} > file ID/.report.json.new`;
const reportOf = (step: string): [string, string] => [writtenReport(step), `${step} > folder ID`];

/** Of any story: the same labels mean the same there. */
export const harmless: Record<string, string> = {
  'trigger: replace ID/baseline.json > file ID/.baseline.json.new': 'without a baseline the verdict warns',
  'trigger: replace ID/baseline.json > folder ID': 'without a baseline the verdict warns',
  'trigger: replace ./action > folder .':
    'the mark of an open update lies in the same folder and is synced next',
  'claim: syncFolder / > folder /': 'the link has its former name again and is claimed once more',
  'claim: syncFile ./claims > file ./claims': 'one claim is not counted; the journal counts the attempts',

  [journal('run', 'claimed')]: 'nothing is changed yet, and the next row makes this one durable, too',
  [journal('run', 'installed')]:
    'the row of how the machine is left makes it durable; until then it is resumed, and all is there',
  ...of(anew, ...reportOf('run: replace ID/report.json'), writtenReport('run: replaceLazily ID/report.json')),
  'run: remove /system-update.claimed > folder /':
    'the machine comes back to the update boot, which only leaves',

  [journal('confirm', 'confirmed')]: 'the note that follows makes it durable before anything is taken away',
  'confirm: remove ./action > folder .': 'the next removal in the same folder makes it durable',
  ...of(again, 'confirm: remove ./open > folder .', 'cancel: remove ./open > folder .'),
  'cancel: remove ./action > folder .': 'a word that the next trigger writes anew',
};

/** Where a fallback boots next: what is lost in the root that is updated is no loss. */
export const harmlessWithFallback: Record<string, string> = {
  ...harmless,
  'run: syncFileSystem / > file system /':
    'what the hooks did is synced with the whole disk before the switch',
  [journal('run', 'installing')]: 'lost, the fallback boots all the same, and calls it cut short',
  ...of(wholeDisk, 'run: syncFileSystem / (2) > file system /', 'run: syncFileSystem / (3) > file system /'),
  ...of(oldRoot, 'run: syncFileSystem top (3) > file system top'),
  [journal('run', 'reverted')]: 'the fallback boots next, and comes to the verdict by itself',
  ...of(givenUp, 'run: remove ./claims > folder .', 'run: remove ./open > folder .'),
  ...['run', 'confirm'].reduce<Record<string, string>>(
    (all, program) => ({
      ...all,
      ...of(
        broughtAgain,
        `${program}: rename top/@ID/term.log.new and top/@ID/term.log > folder top/@ID`,
        `${program}: syncFile top/@ID/report.json.new > file top/@ID/report.json.new`,
        `${program}: rename top/@ID/report.json.new and top/@ID/report.json > folder top/@ID`,
        `${program}: replace top/@ID/journal.jsonl > file top/@ID/.journal.jsonl.new`,
        `${program}: replace top/@ID/journal.jsonl > folder top/@ID`,
      ),
    }),
    {},
  ),
  'run: syncFileSystem top (4) > file system top': broughtAgain,
  ...of(
    'lost, the updated root boots and is judged anew',
    'confirm: syncFileSystem top > file system top',
    'confirm: syncFileSystem top (2) > file system top',
  ),
  ...of(
    sameFolder,
    'recover: rename ID/term.log.new and ID/term.log > folder ID',
    'recover: replace ID/journal.jsonl > folder ID',
    'recover: remove ./action > folder .',
    'recover: remove ./claims > folder .',
    'recover: remove ./open > folder .',
  ),
  ...of(
    anew,
    'recover: syncFile ID/report.json.new > file ID/report.json.new',
    'recover: rename ID/report.json.new and ID/report.json > folder ID',
  ),
  'recover: remove ./fallback.json > folder .': 'the next boot finds it, and settles the same once more',
};

/** From a running system: until the switch nothing has happened. */
export const harmlessByHand: Record<string, string> = {
  ...harmlessWithFallback,
  ...of(
    wholeDisk,
    'rollback: replace top/@.other/var/lib/offline-update/fallback.json > file top/@.other/var/lib/offline-update/.fallback.json.new',
    'rollback: replace top/@.other/var/lib/offline-update/fallback.json > folder top/@.other/var/lib/offline-update',
    'rollback: replace ./fallback.json > folder .',
    'rollback: rename top/@.other and top/@.other > folder top',
    'rollback: syncFileSystem top > file system top',
  ),
  'recover: syncFile ID/term.log.new > file ID/term.log.new': 'both roots hold the same log',
  'recover: replace ID/journal.jsonl > file ID/.journal.jsonl.new':
    'the note that follows is appended to it, and makes it durable',
  'recover: replace ID/report.json > folder ID': 'the report is told anew from the journal',
};

function of(reason: string, ...syncs: readonly string[]): Record<string, string> {
  return Object.fromEntries(syncs.map((sync) => [sync, reason]));
}
