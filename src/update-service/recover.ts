/**
 * An ordinary boot that finds an update without a verdict, or a residue: the record is brought up to the truth, which
 * is what the package database says, not what the last process meant to do.
 */
import { join } from 'node:path';
import { exists } from '../host/exists.js';
import { ifThere, namesIn } from '../host/if-there.js';
import { notePassedBy } from '../snapshots/copy/committed.js';
import { dropSpentCopy } from '../snapshots/copy/spent.js';
import { copyAhead } from '../update/copy-ahead.js';
import { disarmedByDrift } from '../update/drift.js';
import type { Reason } from '../update/events.js';
import { readMark } from '../update/fallback-mark.js';
import { packagesAreWhole, type Finding } from '../update/finding.js';
import { isVerdict, type UpdateState } from '../update/state.js';
import type { KnownUpdate } from '../update/store.js';
import { readTriggers } from '../update/trigger-link.js';
import { closeLeftOpen, closeUpdate, saveReport } from './close.js';
import { distrustSnapshot } from './distrust-snapshot.js';
import { dropLinks } from './leave.js';
import { lookAtPackages } from './look-at-packages.js';
import type { Ports } from './ports.js';
import { readable } from './readable.js';
import { lastTold, readRescued, tells, tellsOnly, type Rescued } from './rescued.js';
import { settleReturn } from './settle-return.js';

export async function recover(ports: Ports): Promise<void> {
  const mark = await readMark(ports.fs, ports.paths.fallbackMark);
  if (mark) {
    await ports.snapshots.collect(mark).catch((error: unknown) => {
      ports.log.write('warning', `the other root could not be read: ${String(error)}`);
    });
  }
  const rescued = await readRescued(ports);
  await distrustSnapshot(ports, rescued);
  // Without its history, or one that can be read, there is nothing to record, and only residues to clean.
  const update = mark ? await readable(ports, mark.id) : await withHistory(ports);
  const triggers = await readTriggers(ports.fs, ports.paths.triggers);
  const armed = triggers.some(({ link }) => link.kind === 'ours');
  const claimed = triggers.some((trigger) => trigger.claimed.kind === 'ours');

  if (update) {
    tellAgain(ports, update);
    for (const message of rescued) await update.journal.append({ note: 'rescue', message });
    if (tells(rescued, 'boot-files-not-restored')) ports.log.write('error', bootFilesWords(ports));
    // Still armed or claimed: this boot was led past the update by hand, and the next one goes on with it.
    if (!mark && !armed && !claimed) await settle(ports, update, rescued);
  }
  if (claimed && !mark) await spareWhatComes(ports);
  if (tells(rescued, 'copy-not-begun')) ports.log.write('error', notBegunWords);
  if (tells(rescued, 'copy-not-restored')) await tellHalfBack(ports);
  if (mark) await settleReturn(ports, mark, update, rescued);
  await ports.files.remove(ports.paths.rescued);
  await ports.files.remove(ports.paths.fallbackMark);
  await dropSpentCopy(ports);
  if (claimed && (!update || isSettled(update.journal.state)) && !(await copyAhead(ports))) {
    await dropLinks(ports);
    if (update && isVerdict(update.journal.state.name)) await closeUpdate(ports);
  }
}

/** The files of the listeners are not synced: what they said of a verdict may have gone with the power. */
function tellAgain({ announce }: Ports, { id, journal }: KnownUpdate): void {
  if (!isVerdict(journal.state.name)) return;
  const last = journal.rows.findLast(({ entry }) => 'event' in entry)?.entry;
  if (last && 'event' in last) announce.again(id, last);
}

/** The next boot puts a copy back, which takes away what the update brought: not what services and people write in this one. */
async function spareWhatComes(ports: Ports): Promise<void> {
  const { fs, log, paths } = ports;
  const armed = await ifThere(fs.readLink(paths.copyArmed));
  if (armed === undefined) return;
  await notePassedBy(ports, join(paths.fallbacks, armed)).catch((error: unknown) => {
    log.write('warning', `what is written below /usr and /opt goes with the update: ${String(error)}`);
  });
}

/** The current update. One whose history somebody removed or emptied is closed, and told here for the last time. */
async function withHistory(ports: Ports): Promise<KnownUpdate | undefined> {
  const update = await ports.store.current();
  if (update?.journal.state.name !== 'none') return update;
  const words = `the history of update ${update.id} is gone, and what became of it cannot be told`;
  ports.log.write('error', `${words}; next: dpkg --audit`);
  await closeUpdate(ports);
  return undefined;
}

/** units/boot-files has tried it, and tries no second time: by then another kernel may be in /boot, which it would delete. */
function bootFilesWords({ paths }: Ports): string {
  return `/boot is not as it was before the update and may start a kernel without modules; next: sh ${paths.copyArmed}/restore`;
}

const notBegunWords =
  'the way back was not taken, and nothing was changed: packages were changed after the update, the copy is damaged, or a file system that it is for is not there; next: offline-update status';

/** Of a proven update: it keeps its verdict, and the sealed files that would make the packages whole are gone. */
async function tellHalfBack({ fs, log, paths }: Ports): Promise<void> {
  for (const id of await namesIn(fs, paths.fallbacks)) {
    const copy = join(paths.fallbacks, id);
    if (await exists(fs, join(copy, 'begun')))
      log.write('error', `${halfBackWords}; next: sh ${join(copy, 'restore')} && systemctl reboot`);
  }
}

const halfBackWords = 'the copy could be put back in part only, and the system may be half of each';

function isSettled(state: UpdateState): boolean {
  return (
    isVerdict(state.name) || state.name === 'installed' || state.name === 'prepared' || state.name === 'none'
  );
}

/** No link leads to this update any more: how far did it come? */
async function settle(ports: Ports, update: KnownUpdate, rescued: Rescued): Promise<void> {
  const { journal } = update;
  const state = journal.state;
  switch (state.name) {
    case 'reverted':
      if (!tells(rescued, 'copy-not-restored')) {
        await closeLeftOpen(ports, update);
        return;
      }
      // Written down before the copy was put back, which did not come to its end.
      await failWithoutReturn(ports, update);
      break;
    case 'armed':
      // units/packages-changed took the trigger away, and the machine went down before that was written down.
      if (tellsOnly(rescued, 'packages-changed')) {
        await journal.append({ event: 'stale', reason: disarmedByDrift });
        break;
      }
      // Armed in this very boot: the link was taken away by hand, which is a cancel. (A soft-reboot keeps the boot id,
      // but then the shell has told what became of the update boot.)
      if (state.armedIn === ports.moment.bootId && rescued.length === 0) {
        await journal.append({ event: 'cancelled', reason: 'the trigger was removed' });
      } else {
        await journal.append({ event: 'refused', reason: neverRan(rescued) });
      }
      break;
    case 'claimed':
      await journal.append({
        event: 'refused',
        reason: { code: 'SERVICE_CRASHED', message: 'the update service ended before it changed anything' },
      });
      break;
    case 'installing':
      await settleInstall(ports, update, state.attempt, rescued);
      break;
    case 'installed':
      return; // the confirmation comes next
    default:
      await closeLeftOpen(ports, update);
      return;
  }
  await saveReport(ports, update);
  if (journal.state.name !== 'installed') await closeUpdate(ports);
}

/** Neither the old system nor the whole new one: the shell has rolled forward as far as the packages let it. */
async function failWithoutReturn(ports: Ports, update: KnownUpdate): Promise<void> {
  const findings = await lookAtPackages(ports, update, 'ordinary');
  const message = 'the copy of what the update replaced could not be put back, see the terminal log';
  const reason: Reason = { code: 'SNAPSHOT_FAILED', message };
  await update.journal.append({ event: 'failed', reason, healed: packagesAreWhole(findings) });
}

async function settleInstall(
  ports: Ports,
  update: KnownUpdate,
  attempt: number,
  rescued: Rescued,
): Promise<void> {
  const findings = await lookAtPackages(ports, update, 'ordinary');
  if (findings.length === 0 && !endedWell(rescued)) findings.push(...(await notKnown(ports, update)));
  if (findings.every(({ severity }) => severity !== 'block')) {
    await update.journal.append({ event: 'installed', attempt });
    return;
  }
  for (const { check, evidence } of findings) {
    await update.journal.append({ note: 'finding', check, message: evidence });
  }
  await update.journal.append({
    event: 'failed',
    reason: { code: 'SERVICE_CRASHED', message: 'the update service ended in the midst of the install' },
    healed: packagesAreWhole(findings),
  });
}

/** The shell installed all of the sealed files: units/rescue. */
function endedWell(rescued: Rescued): boolean {
  return lastTold(rescued, 'rolled-forward', 'roll-forward-failed') === 'rolled-forward';
}

async function notKnown({ store, payload }: Ports, update: KnownUpdate): Promise<Finding[]> {
  const again = payload.installedAgain((await store.readPlan(update)).payload);
  if (again.length === 0) return [];
  const evidence = `not known to be installed again: ${again.join(', ')}`;
  return [{ check: 'package-state', severity: 'block', evidence, remedy: 'offline-update report' }];
}

function neverRan(rescued: Rescued): Reason {
  if (tells(rescued, 'never-started')) {
    return { code: 'EARLY_BOOT_FAILED', message: 'the early boot of the update failed, nothing was changed' };
  }
  // Claimed by the shell, and the service could not even write that down: Node does not start, or dies at once.
  if (tells(rescued, 'nothing-changed', 'claimed-too-often')) {
    return { code: 'SERVICE_CRASHED', message: 'the update service could not start, nothing was changed' };
  }
  return {
    code: 'TRIGGER_VANISHED',
    message: 'the trigger was taken away before the update could start, nothing was changed',
  };
}
