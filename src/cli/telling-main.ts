/**
 * Entry of the `telling` bundle: the verbs that only tell, a program of their own (units/offline-update says which one is
 * started). They are asked often, by people who wait, and Node.js reads all of a program before it runs any of it.
 */
import { beginOrBeSnapshot } from '../host/start-up-snapshot.js';
import { start } from './start.js';
import { tellingPorts } from './telling-ports.js';
import { tellingVerbs } from './verbs/telling-verbs.js';

function tell(): void {
  start({ verbs: tellingVerbs, makePorts: tellingPorts });
}

beginOrBeSnapshot(tell, () =>
  Promise.all([
    import('../payloads/packages/apt/base-drift.js'),
    import('../payloads/packages/apt/dpkg-database.js'),
    import('../prepare/fallbacks.js'),
    import('../prepare/plan-summary.js'),
    import('../prepare/status.js'),
    import('../snapshots/machine-snapshots.js'),
    import('./pages/fallback-page.js'),
    import('./pages/report-page.js'),
    import('./pages/status-page.js'),
  ]),
);
