/** What `status` tells of the time at which an update is to be installed. */
import type { ScheduledShutdown } from '../../host/scheduled-shutdown.js';
import type { Action, Reason, WayIn } from '../../update/events.js';
import { readAskedShutdown, readScheduled } from '../../update/scheduled.js';
import type { KnownUpdate } from '../../update/store.js';
import type { Online } from '../online.js';
import { isOurs } from './leave-at.js';
import { lastPutOff } from './notices.js';

export interface WhenTruth {
  /** When it is to be armed and installed; `until` null: whenever the machine is idle. */
  scheduled: { at: string; until: string | null; whenIdle: boolean; action: Action | null } | null;
  /** The reboot that was announced for it; of this boot. */
  reboot: { type: WayIn; at: string } | null;
  /** Its time came and it was not armed. `next` null: it is not tried again by itself. */
  putOff: { at: string; reason: Reason; next: string | null } | null;
}

/** `shutdown`: what logind will do; asked only when something of ours waits for it. */
export async function whenTruth(
  { fs, paths }: Pick<Online, 'fs' | 'paths'>,
  update: KnownUpdate | undefined,
  shutdown: () => Promise<ScheduledShutdown | undefined>,
): Promise<WhenTruth> {
  const none = { scheduled: null, reboot: null, putOff: null };
  if (!update) return none;
  const { name } = update.journal.state;
  if (name === 'armed') {
    const asked = await readAskedShutdown(fs, paths).catch(() => undefined);
    const isAsked = asked?.id === update.id && asked.by !== 'nobody';
    const isToCome =
      isAsked && (asked.by === 'service' || isOurs(await shutdown().catch(() => undefined), asked));
    return { ...none, reboot: isToCome ? { type: asked.type, at: asked.at } : null };
  }
  const said = lastPutOff(update);
  const putOff = said ? { at: said.at, reason: said.reason, next: said.next } : null;
  const scheduled = name === 'prepared' ? await readScheduled(fs, paths).catch(() => undefined) : undefined;
  if (scheduled?.id !== update.id) return { ...none, putOff };
  const { at, until, whenIdle, action } = scheduled;
  return { ...none, scheduled: { at, until, whenIdle, action }, putOff };
}
