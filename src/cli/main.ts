/** Entry of the `offline-update` bundle: every verb. */
import { systemPorts } from './ports.js';
import { start } from './start.js';
import { verbs } from './verbs/verbs.js';

start({ verbs, makePorts: systemPorts });
