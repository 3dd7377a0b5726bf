/**
 * Who takes part. Each gets the same machine with the same repository, brings its update to the point where only the
 * reboot is missing, and is told afterwards how long its package manager was at work.
 */
import type { JournalRow, Machine } from '../../test/laboratory/laboratory.js';
import { phasesOf } from '../phases.js';
import { secondsBetween, shellUpdate, shellUpdateTimes, takeOursAway, type Stamps } from './shell-update.js';

export interface Candidate {
  name: string;
  title: string;
  /** The machine is off: what belongs to the others is taken away, its own files come. */
  dress(machine: Machine): Promise<void>;
  /** It prepares nothing where it sees no network. */
  needsNetwork?: boolean;
  /** The machine is up. Returns the command line that asks for the way into the update boot; none: it needs no reboot. */
  prepare(machine: Machine): Promise<readonly string[] | undefined>;
  /** The machine is off again. Of the package manager, with what the one who called it does to make sure. */
  installSeconds(machine: Machine, rows: readonly JournalRow[]): Promise<number>;
  /** The units in which it works, for the memory. */
  units: readonly string[];
}

/** PackageKit's hook of apt, and its unit of the update boot. */
const ofPackageKit = [
  '/etc/apt/apt.conf.d/20packagekit',
  '/usr/lib/systemd/system/system-update.target.wants/packagekit-offline-update.service',
];
const reboot = ['systemctl', '--no-block', 'reboot'];

async function takePackageKitAway(machine: Machine): Promise<void> {
  for (const path of ofPackageKit) {
    if (!machine.exists(path)) throw new Error(`PackageKit has no ${path}`);
    await machine.remove(path);
  }
}

/** `policy`: TOML. */
function ours(name: string, title: string, action: 'auto' | 'reboot', policy = ''): Candidate {
  return {
    name,
    title,
    async dress(machine) {
      await takePackageKitAway(machine);
      await machine.write('/etc/offline-update/config.d/50-bench.toml', policy);
    },
    async prepare(machine) {
      await machine.exec(['offline-update', 'prepare', '--no-refresh'], { timeoutSeconds: 300 });
      const arm = ['offline-update', 'trigger', '--no-rehearse', `--action=${action}`, '--json'];
      const { stdout } = await machine.exec(arm);
      const armed = JSON.parse(stdout) as { action: string };
      return ['systemctl', '--no-block', armed.action];
    },
    /** With the verification, the final sync and the switch of the roots. */
    async installSeconds(machine) {
      const { install = NaN, verify = NaN, commit = NaN } = await phasesOf(machine);
      return install + verify + commit;
    },
    units: ['offline-update.service'],
  };
}

const bare: Candidate = {
  name: 'bare',
  title: 'bare `apt-get` in a shell service',
  async dress(machine) {
    await takePackageKitAway(machine);
    await takeOursAway(machine);
    await shellUpdate(machine, 'offline');
  },
  async prepare(machine) {
    await machine.exec('apt-get --quiet=2 --yes --download-only upgrade', { timeoutSeconds: 300 });
    await machine.exec('ln -s /var/lib/shell-update /system-update');
    return reboot;
  },
  installSeconds: shellUpdateTimes,
  units: ['shell-update.service'],
};

const packageKit: Candidate = {
  name: 'packagekit',
  title: "PackageKit's offline update",
  dress: takeOursAway,
  needsNetwork: true,
  async prepare(machine) {
    await machine.exec('pkcon --plain --noninteractive --only-download update', { timeoutSeconds: 300 });
    await machine.exec('pkcon --plain --noninteractive offline-trigger');
    return reboot;
  },
  installSeconds: (_machine, rows) => Promise.resolve(secondsBetween(rows, packageKitStamps)),
  units: ['packagekit-offline-update.service', 'packagekit.service'],
};

/** As long as its own unit runs: it keeps no record of its own. */
const packageKitStamps: Stamps = {
  begin: /^Starting packagekit-offline-update\.service/,
  end: /^packagekit-offline-update\.service: Deactivated|^Finished packagekit-offline-update\.service/,
};

const online: Candidate = {
  name: 'online',
  title: '`apt-get upgrade` in the running system',
  async dress(machine) {
    await takePackageKitAway(machine);
    await takeOursAway(machine);
    await shellUpdate(machine, 'online');
  },
  async prepare(machine) {
    await machine.exec('apt-get --quiet=2 --yes --download-only upgrade', { timeoutSeconds: 300 });
    return undefined;
  },
  installSeconds: shellUpdateTimes,
  units: ['shell-update.service'],
};

export const candidates: readonly Candidate[] = [
  ours('ours', 'offline-update, `--action auto`', 'auto'),
  ours('ours-reboot', 'offline-update, full reboots', 'reboot'),
  ours('ours-fast', 'offline-update, packages recompressed', 'auto', 'packageCompression = "fast"\n'),
  bare,
  packageKit,
  online,
];
