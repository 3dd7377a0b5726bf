/** The verbs that only tell, in the order of the help. Others than these must not be needed by the `telling` bundle. */
import type { TellingVerb } from '../verb.js';
import { history } from './history.js';
import { log } from './log.js';
import { report } from './report.js';
import { status } from './status.js';

export const tellingVerbs: readonly TellingVerb[] = [status, log, history, report];
