/** What is said when another run of a package manager changed the system since the plan was made. */
import type { Reason } from './events.js';

export const PACKAGES_CHANGED =
  'packages were installed, removed, held or released since the update was prepared';

export const disarmedByDrift: Reason = {
  code: 'DRIFT',
  message: `${PACKAGES_CHANGED}; it is no longer armed`,
};
