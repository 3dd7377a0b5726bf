/** What a check of the preflight may look at, and what it is. */
import type { FileSystem } from '../../host/file-system.js';
import type { Payload } from '../../payloads/payload.js';
import type { SnapshotProvider } from '../../snapshots/snapshot-provider.js';
import type { Finding } from '../../update/finding.js';
import type { Paths } from '../../update/paths.js';
import type { PayloadPlan, Plan } from '../../update/plan.js';
import type { Policy } from '../../update/policy.js';
import type { FailedBefore } from '../failed-before.js';
import type { HostFacts } from '../host-facts.js';

export interface StagedUpdate {
  plan: Plan;
  /** Proves the seal of the whole stage, once however often it is asked. Errors: `STAGE_*`, `PLAN_*`. */
  verify(): Promise<Plan>;
}

export interface PreflightContext {
  paths: Paths;
  fs: FileSystem;
  facts: HostFacts;
  policy: Policy;
  payload: Payload<PayloadPlan>;
  snapshots: SnapshotProvider;
  /** The newest failure of the same changes. */
  failedBefore(plan: Plan): Promise<FailedBefore | undefined>;
  /** `--force`: what only a person can know is told and does not block. */
  isForced?: boolean;
  /** An update of ours is armed or has begun: its link is where it belongs. */
  isAttempted?: boolean;
  /** Undefined when nothing is prepared: only what concerns the machine itself is checked then. */
  staged: StagedUpdate | undefined;
}

export interface Check {
  /** Stable; the ids of what `run` finds begin with it, or are named in its comment. */
  id: string;
  run(context: PreflightContext): Promise<Finding[]>;
}
