/** The machine in general terms: enough to judge the figures by, nothing that names it. The load, which changes, apart. */
import { availableParallelism, loadavg, release, totalmem } from 'node:os';
import { mountOf, readMounts } from '../src/host/mounts.js';
import { laboratoryFolder, type Machine } from '../test/laboratory/laboratory.js';

export async function machineFacts(machines = 'on overlayfs, written to'): Promise<string[]> {
  const mount = mountOf(laboratoryFolder(), await readMounts());
  return [
    `${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB of memory, Linux ${kernelVersion()}`,
    `Node.js ${process.versions.node} outside of the machines`,
    `machines: systemd-nspawn ${machines} ${mount?.type ?? 'an unknown file system'}`,
  ];
}

/** Of the last minute. */
export function loadNow(): number {
  return loadavg()[0] ?? 0;
}

/** Without what distributors add behind the number. */
function kernelVersion(): string {
  return /^\d+\.\d+/.exec(release())?.[0] ?? release();
}

/** The versions that the figures depend on, as the measured machine has them. */
export async function guestFacts(machine: Machine, more: readonly string[] = []): Promise<string[]> {
  const names = ['systemd', 'apt', 'dpkg', 'nodejs', 'offline-update', ...more];
  const { stdout } = await machine.run([
    'dpkg-query',
    '--show',
    '--showformat=${Package} ${Version}\\n',
    ...names,
  ]);
  return [`in them: Debian 13, ${stdout.trim().split('\n').join(', ')}`];
}
