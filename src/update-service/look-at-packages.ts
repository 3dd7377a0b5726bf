/**
 * What the package database says of an update, for a verdict: one that cannot be asked (dpkg or apt are what the update
 * broke, the plan cannot be read) is a finding as any other, and never the reason why there is no verdict.
 *
 * Errors: `BUSY` when another package run does not come to its end; whoever looks later sees more.
 */
import { asUpdateError } from '../update/errors.js';
import type { Finding } from '../update/finding.js';
import type { Payload } from '../payloads/payload.js';
import type { PayloadPlan, Plan } from '../update/plan.js';
import type { KnownUpdate } from '../update/store.js';
import type { Ports } from './ports.js';

export async function lookAtPackages(
  { store, payload }: Pick<Ports, 'store' | 'payload'>,
  update: KnownUpdate,
  when?: Parameters<Payload<PayloadPlan>['verify']>[1],
  plan?: Plan,
): Promise<Finding[]> {
  try {
    return await payload.verify((plan ?? (await store.readPlan(update))).payload, when);
  } catch (error) {
    const { code, message } = asUpdateError(error);
    if (code === 'BUSY') throw error;
    const evidence = `the packages cannot be looked at: ${message}`;
    return [{ check: 'unreadable', severity: 'block', evidence, remedy: 'offline-update report' }];
  }
}
