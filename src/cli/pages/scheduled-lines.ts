/** What `trigger` says of an update that has a time, and the service of what it did about it. */
import type { Attended } from '../../prepare/when/attend.js';
import type { ScheduledUpdate } from '../../prepare/when/schedule-update.js';
import type { Unscheduled } from '../../prepare/when/unschedule.js';
import { firstLine } from '../../update/first-line.js';
import { zonedText } from '../../update/zoned-time.js';
import { awayText } from './away-text.js';

export function scheduledLines(
  { id, term, attended, estimate }: ScheduledUpdate,
  whenIdle: boolean,
): string[] {
  const away = estimate ? [`The machine will be away for about ${awayText(estimate)}.`] : [];
  if (attended.outcome === 'leaving') return [...attendedLines(attended), ...away];
  const later = attended.outcome === 'waiting' && attended.reason ? attendedLines(attended) : [];
  const at = zonedText(term.at);
  const until = term.until ? `, before ${zonedText(term.until)}` : '';
  return [
    `Update ${id} is prepared, and not armed yet.`,
    whenIdle
      ? `From ${at} on it is installed as soon as nobody uses the machine${until}.`
      : `At ${at} it is armed, and the machine reboots into it${term.until ? ` (no later than ${zonedText(term.until)})` : ''}.`,
    ...away,
    ...later,
    'Next: offline-update status   (or offline-update cancel)',
  ];
}

export function attendedLines(attended: Attended): string[] {
  switch (attended.outcome) {
    case 'nothing':
      return ['No update waits for its time.'];
    case 'waiting': {
      const at = zonedText(attended.at);
      return [
        attended.reason
          ? `Not now: ${firstLine(attended.reason.message)}. Next look: ${at}`
          : `Next look: ${at}`,
      ];
    }
    case 'leaving':
      return [
        `Update ${attended.id} is armed: the machine reboots into it at ${zonedText(attended.at)}.`,
        'To prevent that: offline-update cancel',
      ];
    case 'given-up':
      return [`Update ${attended.id} was not armed: ${firstLine(attended.reason.message)}`];
  }
}

/** After a cancel. */
export function rebootLines({ rebootCancelled }: Pick<Unscheduled, 'rebootCancelled'>): string[] {
  if (rebootCancelled === 'unknown')
    return [
      'The reboot that was announced for it may still come: logind does not answer.',
      'To prevent it: shutdown -c',
    ];
  return rebootCancelled ? ['The reboot that was announced for it is cancelled.'] : [];
}
