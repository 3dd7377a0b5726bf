/**
 * Everything that is looked at before the trigger is set, and by `doctor`: one file a check, all of them run, whatever
 * the others find. A check that cannot be carried out blocks by itself: what is not known is not taken for good.
 */
import { asUpdateError } from '../../update/errors.js';
import type { Finding } from '../../update/finding.js';
import type { Check, PreflightContext } from './context.js';
import { chroot } from './chroot.js';
import { diskSpace } from './disk-space.js';
import { failedBefore } from './failed-before.js';
import { generatorMasked } from './generator-masked.js';
import { kernelCommandLine } from './kernel-command-line.js';
import { lockHeld } from './lock-held.js';
import { machineChecks } from './machine/machine-checks.js';
import { payload } from './payload.js';
import { rootSwitched } from './root-switched.js';
import { rootWritable } from './root-writable.js';
import { snapshot } from './snapshot.js';
import { stageIntact } from './stage-intact.js';
import { targetMasked } from './target-masked.js';
import { triggerForeign } from './trigger-foreign.js';
import { triggerLeft } from './trigger-left.js';
import { unitMasked } from './unit-masked.js';
import { unitMissing } from './unit-missing.js';

/** In the order in which a person should read what they find. */
export const checks: readonly Check[] = [
  triggerForeign,
  triggerLeft,
  chroot,
  rootWritable,
  rootSwitched,
  kernelCommandLine,
  targetMasked,
  unitMissing,
  unitMasked,
  generatorMasked,
  stageIntact,
  failedBefore,
  payload,
  lockHeld,
  diskSpace,
  snapshot,
  ...machineChecks,
];

export async function preflight(context: PreflightContext, table = checks): Promise<Finding[]> {
  return lockOnce((await Promise.all(table.map((check) => runCheck(check, context)))).flat());
}

/** Whoever holds dpkg's lock is told by the machine, and by the payload if it is hindered: that says it all. */
function lockOnce(findings: readonly Finding[]): Finding[] {
  const isHeld = ({ check }: Finding): boolean => check === lockHeld.id;
  const isHindered = blocks(findings).some(isHeld);
  return findings.filter((finding) => !isHindered || !isHeld(finding) || finding.severity === 'block');
}

async function runCheck(check: Check, context: PreflightContext): Promise<Finding[]> {
  try {
    return await check.run(context);
  } catch (error) {
    const { message, hint } = asUpdateError(error);
    return [
      {
        check: check.id,
        severity: 'block',
        evidence: `this could not be checked: ${message}`,
        remedy: hint ?? 'offline-update doctor',
      },
    ];
  }
}

export function blocks(findings: readonly Finding[]): Finding[] {
  return findings.filter(({ severity }) => severity === 'block');
}
