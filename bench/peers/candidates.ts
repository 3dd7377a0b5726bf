/**
 * Who takes part. Each gets the same machine with the same repository, brings its update to the point where only the
 * reboot is missing, and is asked afterwards how long its package manager was at work.
 */
import type { JournalRow, RootFiles } from '../../test/laboratory/laboratory.js';
import { makeWarmStart } from '../bench-machines.js';
import { installSecondsOf } from '../phases.js';
import { shellUpdate, shellUpdateSeconds } from '../shell-update.js';
import { takeOursAway } from '../take-ours-away.js';

/** A machine that is up. `exec` throws when the command line fails. */
export interface Shell {
  exec(line: string): Promise<{ stdout: string }>;
}

/** Says to systemctl where the update boot is. */
type Verb = 'reboot' | 'soft-reboot';

export interface Candidate {
  name: string;
  title: string;
  /** The machine is off: what belongs to the others is taken away, its own files come. */
  dress(machine: RootFiles): Promise<void>;
  /** It fetches nothing where it sees no network. */
  needsNetwork?: boolean;
  /** Brings all that it is going to install to where it wants it. */
  fetch(shell: Shell): Promise<unknown>;
  /** In the same boot or in a later one. Returns how the update boot is asked for; nothing: it needs none. */
  arm(shell: Shell): Promise<Verb | undefined>;
  /** The machine is off again. Of the package manager, with what the one who called it does to make sure. */
  installSeconds(machine: RootFiles, rows: readonly JournalRow[]): Promise<number>;
  /** The units in which it works, for the memory. */
  units: readonly string[];
}

/** PackageKit's hook of apt, and its unit of the update boot. */
const ofPackageKit = [
  '/etc/apt/apt.conf.d/20packagekit',
  '/usr/lib/systemd/system/system-update.target.wants/packagekit-offline-update.service',
];

/** The answers to dpkg are ours, so that it does the same work. */
const aptUpgrade =
  'apt-get --quiet --yes --no-download -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold upgrade';
/** The machine of a shell service: what /system-update points to there. */
const stage = '/var/lib/shell-update';

function downloadByApt(shell: Shell): Promise<unknown> {
  return shell.exec('apt-get --quiet=2 --yes --download-only upgrade');
}

async function takePackageKitAway(machine: RootFiles): Promise<void> {
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
    fetch: (shell) => shell.exec(`${makeWarmStart} && offline-update prepare --no-refresh`),
    async arm(shell) {
      const { stdout } = await shell.exec(`offline-update trigger --no-rehearse --action=${action} --json`);
      return (JSON.parse(stdout) as { wayIn: Verb }).wayIn;
    },
    installSeconds: installSecondsOf,
    units: ['offline-update.service'],
  };
}

const bare: Candidate = {
  name: 'bare',
  title: 'bare `apt-get` in a shell service',
  async dress(machine) {
    await takePackageKitAway(machine);
    await takeOursAway(machine);
    await machine.write(`${stage}/README`, 'what /system-update points to\n');
    await shellUpdate(machine, aptUpgrade, stage);
  },
  fetch: downloadByApt,
  async arm(shell) {
    await shell.exec(`ln -s ${stage} /system-update`);
    return 'reboot';
  },
  installSeconds: shellUpdateSeconds,
  units: ['shell-update.service'],
};

const packageKit: Candidate = {
  name: 'packagekit',
  title: "PackageKit's offline update",
  dress: takeOursAway,
  needsNetwork: true,
  fetch: (shell) => shell.exec('pkcon --plain --noninteractive --only-download update'),
  async arm(shell) {
    await shell.exec('pkcon --plain --noninteractive offline-trigger');
    return 'reboot';
  },
  installSeconds: (_machine, rows) => Promise.resolve(secondsOfPackageKit(rows)),
  units: ['packagekit-offline-update.service', 'packagekit.service'],
};

/** As long as its own unit runs, the last time: it keeps no record of its own. */
function secondsOfPackageKit(rows: readonly JournalRow[]): number {
  const last = (pattern: RegExp): number =>
    rows.findLast(({ message }) => pattern.test(message))?.monotonicSeconds ?? NaN;
  const begin = last(/^Starting packagekit-offline-update\.service/);
  return (
    last(/^packagekit-offline-update\.service: Deactivated|^Finished packagekit-offline-update\.service/) -
    begin
  );
}

const online: Candidate = {
  name: 'online',
  title: '`apt-get upgrade` in the running system',
  async dress(machine) {
    await takePackageKitAway(machine);
    await takeOursAway(machine);
    await shellUpdate(machine, aptUpgrade);
  },
  fetch: downloadByApt,
  arm: () => Promise.resolve(undefined),
  installSeconds: shellUpdateSeconds,
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

/** Throws when nobody is called so. */
export function candidateNamed(name: string): Candidate {
  const candidate = candidates.find((each) => each.name === name);
  if (!candidate) throw new Error(`nobody is called ${name}`);
  return candidate;
}
