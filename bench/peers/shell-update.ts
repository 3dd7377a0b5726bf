/** An update by a shell script, as people write it: in system-update.target, or in the running system. */
import { shellUnit } from '../bare-service.js';
import type { JournalRow, RootFiles } from '../../test/laboratory/laboratory.js';

const units = '/usr/lib/systemd/system';
/** Nanoseconds: when apt-get began and ended, a line each. */
const times = '/var/log/shell-update.times';

/** Names as PID 1 logs them. */
export interface Stamps {
  begin: RegExp;
  end: RegExp;
}

/** Nothing of ours stands beside the others: no unit, no generator. */
export async function takeOursAway(machine: RootFiles): Promise<void> {
  await machine.remove(`${units}/system-update.target.wants/offline-update.service`);
  await machine.remove('/usr/lib/systemd/system-generators/offline-update-generator');
}

export async function shellUpdate(machine: RootFiles, where: 'offline' | 'online'): Promise<void> {
  await machine.write('/usr/lib/shell-update', where === 'offline' ? offline : install);
  await machine.write(
    `${units}/shell-update.service`,
    where === 'offline' ? shellUnit('/usr/lib/shell-update') : onlineUnit,
  );
  if (where === 'online') return;
  await machine.write('/var/lib/shell-update/README', 'what /system-update points to\n');
  await machine.link('../shell-update.service', `${units}/system-update.target.wants/shell-update.service`);
}

/** Of apt-get alone. */
export async function shellUpdateTimes(machine: RootFiles): Promise<number> {
  const [begin = NaN, end = NaN] = (await machine.read(times)).trim().split('\n').map(Number);
  return (end - begin) / 1e9;
}

/** On the clock of the journal; the last of each kind. */
export function secondsBetween(rows: readonly JournalRow[], { begin, end }: Stamps): number {
  const last = (pattern: RegExp): number =>
    rows.findLast(({ message }) => pattern.test(message))?.monotonicSeconds ?? NaN;
  return last(end) - last(begin);
}

/** The environment and the answers to dpkg are ours, so that apt and dpkg do the same work. */
const install = `#!/bin/sh
export HOME=/root LC_ALL=C.UTF-8 TERM=dumb DEBIAN_FRONTEND=noninteractive DEBIAN_PRIORITY=critical
date +%s%N >${times}
apt-get --quiet --yes --no-download -o Dpkg::Use-Pty=0 \\
  -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold upgrade >/var/log/shell-update.log 2>&1 </dev/null
date +%s%N >>${times}
`;

const offline = `${install.replace('\n', '\n[ "$(readlink /system-update)" = /var/lib/shell-update ] || exit 0\nrm /system-update\nexport SYSTEMD_OFFLINE=1\n')}unset SYSTEMD_OFFLINE
systemctl reboot
`;

const onlineUnit = `[Service]
Type=oneshot
ExecStart=/usr/lib/shell-update
`;
