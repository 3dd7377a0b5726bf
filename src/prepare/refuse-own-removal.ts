/**
 * A plan that takes this package away, or Node.js and it with that, is none that can be carried out: the next boot would have
 * nobody to judge the update, to go back, or to say what became of it. Errors: `PLAN_FAILED`.
 */
import { UpdateError } from '../update/errors.js';
import type { PayloadPlan } from '../update/plan.js';
import { someOf } from '../update/some-of.js';

const OWN_PACKAGE = 'offline-update';

export function refuseOwnRemoval({ changes }: PayloadPlan): void {
  const removed = changes.filter(({ action }) => action === 'remove').map(({ name }) => name);
  if (!removed.includes(OWN_PACKAGE)) return;
  const others = removed.filter((name) => name !== OWN_PACKAGE);
  const beside = others.length === 0 ? '' : `, beside ${someOf(others)}`;
  const message =
    `the plan removes ${OWN_PACKAGE} itself${beside}: nobody would confirm the update, or lead the machine back. ` +
    `Remove it in the running system if that is what you want; else see what conflicts with it`;
  throw new UpdateError('PLAN_FAILED', message, { hint: `apt-get --simulate dist-upgrade` });
}
