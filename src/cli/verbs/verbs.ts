/** All verbs, in the order of the help. */
import type { Verb } from '../verb.js';
import { busService } from './bus-service.js';
import { cancel } from './cancel.js';
import { clean } from './clean.js';
import { doctor } from './doctor.js';
import { history } from './history.js';
import { log } from './log.js';
import { prepare } from './prepare.js';
import { report } from './report.js';
import { rollback } from './rollback.js';
import { stale } from './stale.js';
import { status } from './status.js';
import { trigger } from './trigger.js';
import { unitsOnly } from './units-only.js';

export const verbs: readonly Verb[] = [
  prepare,
  trigger,
  status,
  cancel,
  clean,
  doctor,
  log,
  history,
  report,
  rollback,
  stale,
  unitsOnly,
  busService,
];
