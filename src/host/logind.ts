/** logind on the bus (org.freedesktop.login1(5)): its names, without loading what speaks on it. */

export const logind = {
  destination: 'org.freedesktop.login1',
  path: '/org/freedesktop/login1',
  interface: 'org.freedesktop.login1.Manager',
} as const;

/** The error of a request that a block inhibitor forbids; to root as well since v257. */
export const BLOCKED_BY_INHIBITOR = 'org.freedesktop.login1.BlockedByInhibitorLock';
