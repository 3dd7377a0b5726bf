/** What may be wrong with the machine itself, whatever the update is. In the order in which a person should read it. */
import type { Check } from '../context.js';
import { apparmor } from './apparmor.js';
import { bootAssessment } from './boot-assessment.js';
import { bootSpace } from './boot-space.js';
import { clock } from './clock.js';
import { defaultTargetWants } from './default-target-wants.js';
import { inhibitors } from './inhibitors.js';
import { kernelModules } from './kernel-modules.js';
import { machineId } from './machine-id.js';
import { metered } from './metered.js';
import { neededMounts } from './needed-mounts.js';
import { otherUpdaters } from './other-updaters.js';
import { passphrase } from './passphrase.js';
import { powerSupply } from './power-supply.js';
import { selinux } from './selinux.js';
import { sessions } from './sessions.js';

export const machineChecks: readonly Check[] = [
  powerSupply,
  neededMounts,
  bootSpace,
  apparmor,
  bootAssessment,
  passphrase,
  inhibitors,
  sessions,
  defaultTargetWants,
  otherUpdaters,
  selinux,
  clock,
  machineId,
  kernelModules,
  metered,
];
