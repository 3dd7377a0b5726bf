/**
 * What a dead service leaves to the shell of the update boot, what may come of it, and the mutants of each script. Every sync
 * is in one of two tables: `caught` when it is left away, or `harmless` with the reason.
 */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { markText } from '../../src/update/fallback-mark.js';
import { copy, mark } from './shell/copied-machine.js';
import { installing, type DeadService } from './shell/dead-service.js';
import type { Change, Script } from '../fixtures/rooted-scripts.js';

export interface Mutant {
  what: string;
  /** How one of the problems begins that it is found by: not just any, as a script that dies at once has. */
  foundBy: string;
  changes?: readonly Change[];
  /** A sync that is left away. */
  without?: string;
}

export interface Scene extends DeadService {
  what: string;
  script: Script;
  /** All that may come of it: the system, and what the record says. */
  ends: readonly string[];
  /** Syncs that are found when they are left away, each with how one of the problems begins. */
  caught: Record<string, string>;
  harmless: Record<string, string>;
  mutants?: readonly Mutant[];
}

const record = 'sync var/lib/offline-update/rescued var/lib/offline-update';
const again = { 'sync /': 'the link is there again: the next update boot does the same once more' };
const recorded = { [record]: 'the sync of all before the links go holds for it (left away together: found)' };
const ofRestore = 'of units/restore, see restore.test.ts';
const putBack = {
  ...{ sync: ofRestore, 'sync (2)': ofRestore, 'sync (3)': ofRestore },
  'sync var/lib/offline-update/fallback.json.offline-update-next': ofRestore,
  'sync var/lib/offline-update': ofRestore,
  'sync var/lib/offline-update/fallbacks': ofRestore,
  [record]: 'the mark of the restore says the same',
  'sync (4)': 'units/restore has synced what it put back',
  ...again,
};

const changed = (script: Script, from: string, to: string): Change => ({ script, from, to });
const rescue = (from: string, to: string): Change => changed('rescue', from, to);
const unsyncedRecord = changed('links', 'sync "$state/rescued" "$state"', ':');
const inUpdateBoot = (root: string, ...more: string[]): void => {
  mkdirSync(join(root, 'run/offline-update'));
  for (const name of ['update-boot', ...more]) writeFileSync(join(root, 'run/offline-update', name), '');
};
const claimedTwelveTimes = (root: string): void => {
  appendFileSync(join(root, 'var/lib/offline-update/claims'), 'boot\n'.repeat(12));
};
const [claimed, midst] = ['claim: appendFile ./claims', 'run: step of the package manager (5)'];
const goneUnrecorded = 'the links are gone, and the record knows only: , ';
const halfAsWhole = 'the record says confirmed, the system is mixed';
const [isOld, isNew] = ['old, refused', 'new, confirmed'];

export const scenes: readonly Scene[] = [
  {
    what: 'the early boot fails',
    script: 'rescue',
    diedAt: 'armed',
    ends: [isNew, isOld],
    caught: {},
    harmless: { ...recorded, sync: 'that of the record holds for it', ...again },
  },
  {
    what: 'Node never starts',
    script: 'rescue',
    diedAt: claimed,
    ends: [isNew, isOld],
    caught: {},
    harmless: { ...recorded, sync: 'that of the record holds for it', ...again },
    mutants: [
      {
        what: 'the record not synced at all',
        foundBy: goneUnrecorded,
        changes: [unsyncedRecord],
        without: 'sync',
      },
      {
        what: 'the links taken away before it is recorded',
        foundBy: goneUnrecorded,
        changes: [rescue('\t\trecord nothing-changed', '\t\tdrop_links\n\t\trecord nothing-changed')],
      },
      {
        what: 'a boot that a claimed link leads nowhere',
        foundBy: 'no update boot, with system-update.claimed',
        changes: [changed('offline-update-generator', ' /system-update.claimed /etc', ' /etc')],
      },
    ],
  },
  {
    what: 'the service dies in the midst of the install, and dpkg rolls forward',
    script: 'rescue',
    diedAt: midst,
    ends: [isNew],
    caught: { sync: halfAsWhole },
    harmless: { ...recorded, ...again },
    mutants: [
      {
        what: 'the links taken away before the sync of all',
        foundBy: halfAsWhole,
        changes: [rescue('sync\ndrop_links || leave stay', 'drop_links || leave stay\nsync')],
      },
      {
        what: 'the links taken away before dpkg has rolled forward',
        foundBy: goneUnrecorded,
        changes: [
          rescue("finishing the install by dpkg'\n", "finishing the install by dpkg'\n\t\tdrop_links\n"),
        ],
      },
    ],
  },
  {
    what: 'dpkg cannot roll it forward',
    script: 'rescue',
    diedAt: midst,
    furnish: (root) => {
      writeFileSync(join(root, 'dpkg-is-broken'), '');
    },
    ends: ['mixed, failed', 'old, failed', isNew],
    caught: {},
    harmless: { ...recorded, sync: 'that of the record holds for it; nothing was made whole', ...again },
  },
  {
    what: 'the service dies when its work is done',
    script: 'rescue',
    diedAt: 'run: journal: installed',
    ends: [isNew],
    caught: {},
    harmless: { ...recorded, sync: 'the service had synced what it installed', ...again },
  },
  {
    what: 'a copy is armed by this very boot',
    script: 'rescue',
    diedAt: midst,
    copy: 'armed',
    furnish: (root) => {
      inUpdateBoot(root, 'fallback-armed');
    },
    ends: ['old, reverted'],
    caught: {},
    harmless: {
      [record]: 'nothing is taken away: the next boot begins with the way back, and writes down that',
      sync: 'this system is given up',
    },
    mutants: [
      {
        what: 'the links taken away, as after all else',
        foundBy: 'mixed, failed',
        changes: [rescue('\t\tsync\n\t\tleave reboot', '\t\tsync\n\t\tdrop_links\n\t\tleave reboot')],
      },
    ],
  },
  {
    what: 'a copy is armed by a boot that was cut short',
    script: 'rescue',
    diedAt: midst,
    copy: 'armed',
    ends: ['old, reverted'],
    caught: {},
    harmless: putBack,
    mutants: [
      {
        what: 'the links taken away before the copy is put back',
        foundBy: goneUnrecorded,
        changes: [rescue("say 'putting back what the update replaced'", 'drop_links')],
      },
    ],
  },
  {
    what: 'a copy was put back, and the links are still there',
    script: 'rescue',
    diedAt: installing,
    copy: 'restored',
    furnish: (root) => {
      writeFileSync(join(root, 'var/lib/offline-update/fallback.json'), markText(mark));
    },
    ends: ['old, reverted'],
    caught: {},
    harmless: {
      [record]: 'the mark of the restore says the same',
      sync: 'nothing else is changed',
      ...again,
    },
  },
  {
    what: 'a copy cannot be put back, and dpkg rolls forward',
    script: 'rescue',
    diedAt: midst,
    copy: 'armed',
    furnish: (root) => {
      appendFileSync(join(root, copy, 'names'), 'torn');
    },
    ends: [isNew],
    caught: { sync: halfAsWhole },
    harmless: {
      'sync var/lib/offline-update/fallbacks': 'it is tried once more in the next boot',
      [record]: 'the next one makes both durable',
      [`${record} (2)`]: 'the sync of all before the links go holds for it',
      ...again,
    },
  },
  {
    what: 'the update boot ends and nobody has left it',
    script: 'guard',
    diedAt: claimed,
    furnish: inUpdateBoot,
    ends: [isNew, isOld],
    caught: { [record]: goneUnrecorded },
    harmless: again,
    mutants: [
      {
        what: 'the links taken away before it is recorded',
        foundBy: goneUnrecorded,
        changes: [changed('guard', 'record left-by-guard\ndrop_links', 'drop_links && record left-by-guard')],
      },
    ],
  },
  {
    what: 'the update boot ends with a copy that is to be put back',
    script: 'guard',
    diedAt: midst,
    copy: 'armed',
    furnish: inUpdateBoot,
    ends: ['old, reverted'],
    caught: {},
    harmless: putBack,
    mutants: [
      {
        what: 'left as any other',
        foundBy: 'mixed, failed',
        changes: [changed('guard', '{ [ -n "$(our_links)" ] && copy_armed; }', 'false')],
      },
    ],
  },
  {
    what: 'claimed for the thirteenth time',
    script: 'claim',
    diedAt: installing,
    furnish: claimedTwelveTimes,
    ends: [isNew, isOld, 'old, failed'],
    caught: { [record]: goneUnrecorded },
    harmless: { 'sync var/lib/offline-update/claims': 'one claim is not counted', ...again },
    mutants: [
      {
        what: 'the links taken away before it is recorded',
        foundBy: goneUnrecorded,
        changes: [
          changed(
            'claim',
            "say 'claimed too often, giving up'",
            "say 'claimed too often, giving up'\n\tdrop_links",
          ),
        ],
      },
    ],
  },
  {
    what: 'claimed for the thirteenth time, with a copy that was never put back to its end',
    script: 'claim',
    diedAt: midst,
    copy: 'armed',
    furnish: claimedTwelveTimes,
    ends: [isNew],
    caught: {},
    harmless: {
      [record]: 'nothing is taken away yet',
      'sync var/lib/offline-update/claims': 'one claim is not counted',
    },
    mutants: [
      {
        what: 'the links taken away, as without a copy',
        foundBy: 'old, failed',
        changes: [changed('claim', '\tif copy_armed; then exit 255; fi\n', '')],
      },
      {
        what: 'put back once more',
        foundBy: 'old, reverted',
        changes: [rescue('! claimed_too_often && {', '{')],
      },
    ],
  },
];
