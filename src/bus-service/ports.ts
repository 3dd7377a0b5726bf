/** What the service on the bus works with; the command line is its composition root, and tests pass fakes. */
import type { RunCommand } from '../host/command.js';
import type { Payload } from '../payloads/payload.js';
import type { Online } from '../prepare/online.js';
import type { PreflightContext } from '../prepare/preflight/context.js';
import type { RehearsalMachine } from '../prepare/rehearse/rehearse.js';
import type { Scheduler } from '../prepare/when/scheduler.js';
import type { PayloadPlan } from '../update/plan.js';
import type { Policy } from '../update/policy.js';

export interface ServicePorts {
  online: Online;
  run: RunCommand;
  payload(): Promise<Payload<PayloadPlan>>;
  rehearsal(): Promise<RehearsalMachine>;
  scheduler(): Promise<Scheduler>;
  /** Errors: `CONFIG_INVALID`. */
  policy(): Promise<Policy>;
  hasDrifted(plan: PayloadPlan): Promise<boolean>;
  /** Asks the children of this process to end. */
  endChildren(): Promise<void>;
  /** All that the preflight needs but the update itself. */
  machine(): Promise<Omit<PreflightContext, 'staged'>>;
}
