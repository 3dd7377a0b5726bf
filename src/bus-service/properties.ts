/** The properties of the object, out of what is known; one that has nothing to say is empty, 0 or false. Pure. */
import type { Reason } from '../update/events.js';
import type { LiveStatus } from '../update/live-status.js';
import type { UpdateState } from '../update/state.js';
import type { Job } from './jobs.js';

export interface Known {
  version: string;
  id: string | null;
  state: UpdateState;
  /** Why the update cannot be read. */
  problem: Reason | null;
  /** What goes on, whoever does it. */
  live: LiveStatus | undefined;
  job: Job | undefined;
}

export type Properties = Readonly<Record<string, string | number | boolean>>;

export function propertiesOf({ version, id, state, problem, live, job }: Known): Properties {
  const reason = 'reason' in state ? state.reason : problem;
  const going = live?.phase === 'done' ? undefined : live;
  return {
    Version: version,
    State: state.name,
    UpdateId: id ?? '',
    Action: 'action' in state ? state.action : '',
    ReasonCode: reason?.code ?? '',
    ReasonText: reason?.message ?? '',
    Job: job?.number ?? 0,
    Operation: job?.operation ?? '',
    Phase: going?.phase ?? '',
    Percent: going?.percent ?? 0,
    Package: going?.package ?? '',
    Text: going?.text ?? '',
    Stalled: going?.stalled ?? false,
  };
}

/** Names of those that differ. */
export function changedProperties(before: Properties, after: Properties): string[] {
  return Object.keys(after).filter((name) => before[name] !== after[name]);
}
