/** Turns an armed machine of ours into one whose update boot is a bare shell service, as people write them. */
import { shellQuote, type RootFiles } from '../test/laboratory/laboratory.js';

interface StagedPlan {
  payload: { changes: { name: string; architecture: string; to: string }[] };
}

const wants = '/usr/lib/systemd/system/system-update.target.wants';

/** Written by the bare service: when its apt-get began and ended, nanoseconds, a line each. */
const bareTimes = '/var/log/bare-update.times';

export async function makeBare(machine: RootFiles): Promise<void> {
  const plan = JSON.parse(await machine.read('/var/lib/system-update/plan.json')) as StagedPlan;
  const words = plan.payload.changes.map(({ name, architecture, to }) => `${name}:${architecture}=${to}`);
  const install = ['apt-get', '-c', '/var/lib/system-update/apt.conf', '-q', '-y', 'install', ...words];
  await machine.remove(`${wants}/offline-update.service`);
  await machine.remove('/usr/lib/systemd/system-generators/offline-update-generator');
  await machine.write('/usr/lib/bare-update', bareScript(install));
  await machine.write('/usr/lib/systemd/system/bare-update.service', shellUnit('/usr/lib/bare-update'));
  await machine.link('../bare-update.service', `${wants}/bare-update.service`);
}

/** Of apt-get alone. */
export async function bareSeconds(machine: RootFiles): Promise<number> {
  const [begin = NaN, end = NaN] = (await machine.read(bareTimes)).trim().split('\n').map(Number);
  return (end - begin) / 1e9;
}

/** The environment is ours, so that apt and dpkg do the same work. */
function bareScript(install: readonly string[]): string {
  return `#!/bin/sh
rm /system-update
export HOME=/root LC_ALL=C.UTF-8 TERM=dumb DEBIAN_FRONTEND=noninteractive DEBIAN_PRIORITY=critical SYSTEMD_OFFLINE=1
date +%s%N >${bareTimes}
${shellQuote(install)} >/var/log/bare-update.log 2>&1 </dev/null
date +%s%N >>${bareTimes}
unset SYSTEMD_OFFLINE
systemctl reboot
`;
}

/** A service in system-update.target that runs `program`, as people write it. */
export function shellUnit(program: string): string {
  return `[Unit]
DefaultDependencies=no
Requires=sysinit.target
After=sysinit.target system-update-pre.target
Before=system-update.target shutdown.target
FailureAction=reboot
[Service]
Type=oneshot
ExecStart=${program}
`;
}
