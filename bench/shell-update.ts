/** An update by a shell script, as people write it: in system-update.target, or in the running system. */
import type { RootFiles } from '../test/laboratory/laboratory.js';

const program = '/usr/lib/shell-update';
const units = '/usr/lib/systemd/system';
/** Nanoseconds: when apt-get began and ended, a line each. */
const times = '/var/log/shell-update.times';

/**
 * Makes shell-update.service, which runs `aptGet`, a line for the shell. With `stage` it belongs to the update boot whose
 * link leads there, and asks for the reboot; without, somebody starts it in the running system.
 */
export async function shellUpdate(machine: RootFiles, aptGet: string, stage?: string): Promise<void> {
  const isOffline = stage !== undefined;
  await machine.write(program, isOffline ? offline(aptGet, stage) : `#!/bin/sh\n${timed(aptGet)}`);
  await machine.write(`${units}/shell-update.service`, `${isOffline ? offlineUnit : ''}${service}`);
  if (isOffline)
    await machine.link('../shell-update.service', `${units}/system-update.target.wants/shell-update.service`);
}

/** Of apt-get alone. */
export async function shellUpdateSeconds(machine: RootFiles): Promise<number> {
  const [begin = NaN, end = NaN] = (await machine.read(times)).trim().split('\n').map(Number);
  return (end - begin) / 1e9;
}

/** The environment is ours, so that apt and dpkg do the same work. */
function timed(aptGet: string): string {
  return `export HOME=/root LC_ALL=C.UTF-8 TERM=dumb DEBIAN_FRONTEND=noninteractive DEBIAN_PRIORITY=critical
date +%s%N >${times}
${aptGet} >/var/log/shell-update.log 2>&1 </dev/null
date +%s%N >>${times}
`;
}

/** As systemd.offline-updates(7) has it. */
function offline(aptGet: string, stage: string): string {
  return `#!/bin/sh
[ "$(readlink /system-update)" = ${stage} ] || exit 0
rm /system-update
export SYSTEMD_OFFLINE=1
${timed(aptGet)}unset SYSTEMD_OFFLINE
systemctl reboot
`;
}

const offlineUnit = `[Unit]
DefaultDependencies=no
Requires=sysinit.target
After=sysinit.target system-update-pre.target
Before=system-update.target shutdown.target
FailureAction=reboot
`;

const service = `[Service]
Type=oneshot
ExecStart=${program}
`;
