/**
 * One turn: from a machine that is up and has its update ready, over the reboot request, until it is up again and
 * updated. Throws when the packages are not all there afterwards.
 */
import { command } from '../../test/laboratory/command.js';
import { putRepository, type Deb, type Machine } from '../../test/laboratory/laboratory.js';
import { counted, readBlockCounters } from './block-counters.js';
import type { Candidate, Shell } from './candidates.js';
import { heldBytes, peakDuring } from './memory-watch.js';
import type { DiskName, PeerDisk } from './peer-disk.js';
import { goAndComeBack, upLine, type Way } from './there-and-back.js';
import type { Turn } from './turn.js';

const timeoutSeconds = 300;

export async function takeTurn(
  peerDisk: PeerDisk,
  disk: DiskName,
  candidate: Candidate,
  debs: readonly Deb[],
  watchesMemory = false,
): Promise<Turn> {
  const { machine } = peerDisk;
  const device = await peerDisk.restore(disk);
  await candidate.dress(machine);
  await machine.remove('/srv/repository');
  await putRepository(machine, debs);
  await machine.run('apt-get update --quiet=2');
  await machine.start({ timeoutSeconds, network: candidate.needsNetwork ?? false });
  const shell: Shell = { exec: (line) => machine.exec(line, { timeoutSeconds }) };
  await candidate.fetch(shell);
  const verb = await candidate.arm(shell);
  await command(['sync', '--file-system', machine.root]);
  const go = (): Promise<Way> => (verb ? goAndComeBack(machine, verb, timeoutSeconds) : stay(machine));
  const look = (): Promise<number> => heldBytes(machine, candidate.units);
  const before = await readBlockCounters(device);
  const { result: way, peak } = watchesMemory ? await peakDuring(look, go) : { result: await go() };
  const { flushes } = counted(before, await readBlockCounters(device));
  await command(['sync', '--file-system', machine.root]);
  const { bytesWritten } = counted(before, await readBlockCounters(device));
  await proveUpdated(machine, debs);
  await machine.stop();
  const rows = await machine.journal();
  const up = rows.findLast(({ message }) => upLine.test(message))?.monotonicSeconds ?? NaN;
  return {
    awaySeconds: verb ? up - way.askedSeconds : 0,
    gapSeconds: way.gapSeconds,
    installSeconds: await candidate.installSeconds(machine, rows),
    flushes,
    megabytesWritten: bytesWritten / 1e6,
    ...(peak !== undefined && { memoryMegabytes: peak / 1e6 }),
  };
}

async function stay(machine: Machine): Promise<Way> {
  await machine.exec('systemctl start shell-update.service', { timeoutSeconds });
  return { askedSeconds: 0, gapSeconds: 0 };
}

async function proveUpdated(machine: Machine, debs: readonly Deb[]): Promise<void> {
  const { stdout } = await machine.exec(
    "dpkg-query --show --showformat='${Package} ${db:Status-Abbrev} ${Version}\\n'",
  );
  const there = new Set(stdout.split('\n').map((line) => line.replace(/ +/g, ' ')));
  const missing = debs.filter(({ spec }) => !there.has(`${spec.name} ii ${spec.version}`));
  if (missing.length > 0)
    throw new Error(`not installed: ${missing.map(({ spec }) => spec.name).join(', ')}`);
}
