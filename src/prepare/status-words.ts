/** What the truths of `status` add up to, in words. */
import { CLAIMED_SUFFIX } from '../update/paths.js';
import type { UpdateState } from '../update/state.js';
import type { LinkTruth } from '../update/trigger-link.js';
import type { MaskedAhead } from './masked-ahead.js';
import type { RollbackAhead } from './rollback-ahead.js';
import type { Status } from './status.js';
import { describeForeign, foreignFindings } from './preflight/trigger-foreign.js';
import { attempted, describeLeft } from './preflight/trigger-left.js';

const isOurs = (link: LinkTruth): boolean => link.kind === 'ours';

type Told = Pick<
  Status,
  | 'state'
  | 'wayIn'
  | 'reason'
  | 'links'
  | 'drift'
  | 'stage'
  | 'failedBefore'
  | 'otherRootNext'
  | 'rehearsal'
  | 'scheduled'
  | 'reboot'
  | 'putOff'
>;

interface Ahead {
  rollback: RollbackAhead | undefined;
  masked: MaskedAhead | undefined;
}

export function contradictions(told: Told, state: UpdateState, { rollback, masked }: Ahead): string[] {
  const said: string[] = rollback ? [rollback.means] : [];
  const ours = told.links.filter(({ link }) => isOurs(link));
  const claimed = told.links.filter((each) => isOurs(each.claimed)).map(({ path }) => path + CLAIMED_SUFFIX);
  if (state.name === 'armed' && ours.length === 0 && claimed.length === 0)
    said.push(`armed, but ${state.trigger} is not there: the next boot will not install it`);
  if (masked && (attempted.has(state.name) || rollback)) said.push(masked.means);
  if (state.name !== 'armed') said.push(...ours.map(describeLeft));
  if (ours.length > 1) said.push('both trigger links are set: systemd looks at the first one');
  if (!attempted.has(state.name) && !rollback)
    said.push(...claimed.map((path) => `${path} is left over: no attempt is under way`));
  for (const { path, link } of told.links) {
    const foreign = describeForeign(path, link);
    if (foreign !== undefined) said.push(foreign);
  }
  if (told.drift === true && state.name !== 'stale')
    said.push('packages were changed since the plan was made: it may be refused');
  if (told.stage.problem) said.push(told.stage.problem.message);
  return said;
}

/** `again`: what plans the same anew. */
export function nextStep(
  {
    state,
    wayIn,
    drift,
    stage,
    links,
    reason,
    failedBefore,
    otherRootNext,
    rehearsal,
    scheduled,
    reboot,
    putOff,
  }: Told,
  again: string,
  masked?: MaskedAhead,
): string | null {
  if (masked && (attempted.has(state) || otherRootNext)) return masked.remedy;
  if (otherRootNext) return 'systemctl reboot';
  if (stage.intact === false) {
    return state === 'armed'
      ? 'offline-update cancel'
      : reason?.code === 'JOURNAL_CORRUPT'
        ? 'offline-update clean'
        : again;
  }
  if (state === 'blocked') return 'offline-update clean';
  if (!attempted.has(state) && links.some(({ link, claimed }) => isOurs(link) || isOurs(claimed)))
    return 'offline-update cancel';
  const [foreign] = foreignFindings(links);
  switch (state) {
    case 'prepared':
      if (drift === true) return again;
      // One update a boot: none of ours is armed, also at its time.
      if (foreign) return foreign.remedy;
      // by itself, at its time
      if (scheduled) return null;
      // It would not arm what has just failed; a new plan, or a mended machine, is tried at once.
      if (rehearsal?.outcome === 'failed') return `${again} --rehearse`;
      if (putOff) return 'offline-update doctor';
      return failedBefore ? `offline-update report ${failedBefore.id}` : 'offline-update trigger';
    case 'armed':
      return drift === true || !links.some(({ link }) => isOurs(link))
        ? 'offline-update cancel'
        : reboot
          ? null
          : `systemctl ${wayIn ?? 'reboot'}`;
    case 'stale':
      return again;
    case 'claimed':
    case 'installing':
      return 'systemctl reboot';
    case 'installed':
      return 'systemctl start offline-update-confirm.service';
    case 'refused':
    case 'failed':
    case 'reverted':
      return 'offline-update report';
    case 'none':
    case 'confirmed':
      return 'offline-update prepare';
  }
}
