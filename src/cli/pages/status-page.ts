/** `status` for people: label and value, one truth a line. */
import { failedBeforeText } from '../../prepare/failed-before.js';
import { describeForeign } from '../../prepare/preflight/trigger-foreign.js';
import type { Status } from '../../prepare/status.js';
import { firstLine } from '../../update/first-line.js';
import { zonedText } from '../../update/zoned-time.js';
import { bytesText, timeText } from '../quantities.js';
import { awayText } from './away-text.js';
import { endAndReason } from './end-and-reason.js';
import { countsText } from './change-lines.js';
import { recompressedText } from './recompressed-lines.js';

export type FieldRow = readonly [label: string, value: string | undefined];

export function statusRows(status: Status): FieldRow[] {
  const { plan, live, lastVerdict } = status;
  return [
    ['State', stateText(status)],
    ['Reason', status.reason?.message],
    ['Update', status.id ?? undefined],
    ['Plan', plan ? planText(plan) : undefined],
    ['Failed', status.failedBefore ? failedBeforeText(status.failedBefore) : undefined],
    ['Unsigned', status.unsignedSources.length > 0 ? status.unsignedSources.join('\n') : undefined],
    ['When', whenText(status)],
    ['Put off', putOffText(status)],
    ['Ends in', endOf(status)],
    ['Now', live ? `${live.text} (${live.percent} %${live.stalled ? ', stalled' : ''})` : undefined],
    ['Trigger', triggerText(status)],
    ['Stage', stageText(status)],
    ['System', driftText(status.drift)],
    ['Way back', wayBackText(status.wayBack)],
    ['Tried', rehearsalText(status)],
    ['Away', status.estimate ? `about ${awayText(status.estimate)}` : undefined],
    [
      'Last',
      lastVerdict
        ? `${lastVerdict.id}: ${lastVerdict.verdict}${because(lastVerdict.reason)}${backText(lastVerdict)}`
        : undefined,
    ],
    ['Kept', fallbacksText(status)],
    ['Beware', status.contradictions.length > 0 ? status.contradictions.join('\n') : undefined],
    ['Next', status.next ?? undefined],
  ];
}

function stateText({ state, action }: Status): string {
  switch (state) {
    case 'none':
      return 'no update is prepared';
    case 'prepared':
      return 'prepared: downloaded and sealed, not armed';
    case 'armed':
      return `armed: the next boot installs it${action === 'poweroff' ? ' and powers off' : ''}`;
    case 'stale':
      return 'stale: the system changed since it was prepared';
    case 'claimed':
      return 'claimed: an update boot took it up';
    case 'installing':
      return 'installing';
    case 'installed':
      return 'installed, not yet confirmed by a good boot';
    case 'confirmed':
      return 'confirmed: installed, and the machine came back';
    case 'refused':
      return 'refused in the update boot: nothing was changed';
    case 'reverted':
      return 'reverted: the system is as it was before';
    case 'failed':
      return 'failed';
    case 'blocked':
      return 'blocked: it is not tried again';
  }
}

/** Of a prepared one as it looked then: it is decided when it is armed. */
function endOf({ state, plan, action, actionBecause }: Status): string | undefined {
  if (action !== null) return endAndReason({ action, because: actionBecause });
  return state === 'prepared' && plan?.end ? endAndReason(plan.end) : undefined;
}

function whenText({ scheduled, reboot }: Status): string | undefined {
  if (reboot) return `the machine will ${reboot.type} into it at ${zonedText(new Date(reboot.at))}`;
  if (!scheduled) return undefined;
  const { at, until, whenIdle } = scheduled;
  const from = `${zonedText(new Date(at))}${whenIdle ? ', as soon as nobody uses the machine' : ''}`;
  return until === null ? from : `${from}\nno later than ${zonedText(new Date(until))}`;
}

function putOffText({ putOff }: Status): string | undefined {
  if (!putOff) return undefined;
  const next =
    putOff.next === null
      ? 'it is not tried again by itself'
      : `next look ${zonedText(new Date(putOff.next))}`;
  return `${firstLine(putOff.reason.message)}\n${next}`;
}

function planText(plan: NonNullable<Status['plan']>): string {
  const disk = plan.diskBytes < 0 ? 'freed on disk' : 'more on disk';
  const sizes = `${bytesText(plan.downloadBytes)} of packages, ${bytesText(Math.abs(plan.diskBytes))} ${disk}`;
  const lines = [countsText(plan.counts), sizes, recompressedText(plan), `made ${timeText(plan.createdAt)}`];
  return lines.filter((line) => line !== undefined).join('\n');
}

function triggerText({ links, otherRootNext }: Status): string {
  const begun = otherRootNext ? 'the next boot goes back' : 'an attempt was begun';
  const said = links.flatMap(({ path, link, claimed }) => [
    ...(link.kind === 'ours' ? [`${path} -> ${link.target} (ours)`] : []),
    ...[describeForeign(path, link) ?? []].flat(),
    ...(claimed.kind === 'ours' ? [`${path}.claimed (ours: ${begun})`] : []),
    ...[describeForeign(`${path}.claimed`, claimed) ?? []].flat(),
  ]);
  return said.length === 0 ? 'not set: the next boot is an ordinary one' : said.join('\n');
}

function stageText({ stage }: Status): string | undefined {
  if (stage.intact === null) return undefined;
  if (!stage.intact) return `NOT intact: ${stage.problem?.message ?? ''}`;
  return stage.checked === 'whole'
    ? 'intact: every file is as sealed'
    : 'the plan is as sealed (--verify checks every file)';
}

function rehearsalText({ rehearsal }: Status): string | undefined {
  if (!rehearsal) return undefined;
  return rehearsal.reason
    ? `the rehearsal FAILED: ${firstLine(rehearsal.reason.message)}`
    : `the rehearsal passed, ${timeText(rehearsal.at)}`;
}

/** Of what comes and of what was begun; a verdict says it for itself. */
function wayBackText(wayBack: Status['wayBack']): string | undefined {
  if (!wayBack) return undefined;
  const { provider, proven, told, policy, from } = wayBack;
  const instead =
    policy.snapshot === 'require' ? 'it will be refused' : 'an interrupted install is finished by dpkg';
  const kept = from === 'recorded' ? told : `${told}\n(policy: snapshot = "${policy.snapshot}")`;
  if (provider !== null) return `${provider}: ${kept}`;
  return proven === null ? kept : `NONE, ${instead}: ${kept}`;
}

function driftText(drift: boolean | null): string | undefined {
  if (drift === null) return undefined;
  return drift ? 'CHANGED since the plan was made' : 'unchanged since the plan was made';
}

function backText({ rolledBackBy }: NonNullable<Status['lastVerdict']>): string {
  return rolledBackBy === null ? '' : `, rolled back by ${rolledBackBy}`;
}

function fallbacksText({ fallbacks }: Status): string | undefined {
  if (!fallbacks || fallbacks.length === 0) return undefined;
  const before = { update: 'this update', rollback: 'this rollback' };
  return fallbacks
    .map((each) => `${each.id}  from before ${before[each.before]}, set aside ${timeText(each.since)}`)
    .join('\n');
}

function because(reason: { message: string } | null): string {
  return reason ? ` (${firstLine(reason.message)})` : '';
}
