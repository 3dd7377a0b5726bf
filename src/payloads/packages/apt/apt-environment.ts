/**
 * The whole environment of every child of apt and dpkg: nothing is inherited, and nobody is asked.
 *
 * `DPKG_FORCE` is left out on purpose: it would replace dpkg's own list of forced things.
 */
import type { Policy } from '../../../update/policy.js';

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Maintainer scripts find our stand-ins (units/grub-install) before the programs of the system. */
const STAND_INS = '/usr/lib/offline-update/stand-ins';
const OFFLINE_PATH = `${STAND_INS}:${PATH}`;
/** What apt gives dpkg instead of the PATH that it was given: its own default is without /usr/local. */
export const DPKG_PATH = `${STAND_INS}:/usr/sbin:/usr/bin:/sbin:/bin`;

export interface AptEnvironmentOptions {
  policy?: Policy;
  /** In the update boot: systemctl then starts nothing, and leaves no file for it (invariant 13). */
  offline?: boolean;
}

export function aptEnvironment({ policy, offline }: AptEnvironmentOptions = {}): Record<string, string> {
  return {
    HOME: '/root',
    LC_ALL: 'C.UTF-8', // what apt and dpkg print is read by us
    TERM: 'dumb',
    PATH: offline === true ? OFFLINE_PATH : PATH,
    DEBIAN_FRONTEND: 'noninteractive',
    DEBIAN_PRIORITY: 'critical',
    DEBCONF_NONINTERACTIVE_SEEN: 'true',
    APT_LISTCHANGES_FRONTEND: 'none',
    APT_LISTBUGS_FRONTEND: 'none',
    NEEDRESTART_SUSPEND: '1',
    ...(policy?.conffiles === 'replace' ? { UCF_FORCE_CONFFNEW: '1' } : { UCF_FORCE_CONFFOLD: '1' }),
    ...(offline === true && { SYSTEMD_OFFLINE: '1' }),
  };
}
