/**
 * One turn: from a machine that is up and has its update ready, over the reboot request, until it is up again and
 * updated. Throws when the packages are not all there afterwards.
 */
import { command } from '../../test/laboratory/command.js';
import { monotonicSeconds, putRepository, type Deb, type Machine } from '../../test/laboratory/laboratory.js';
import { firstWord } from '../update-boot-spans.js';
import { counted, readBlockCounters } from './block-counters.js';
import type { Candidate, Shell } from './candidates.js';
import { watchMemory } from './memory-watch.js';
import type { DiskName, PeerDisk } from './peer-disk.js';
import type { Turn } from './turn.js';

const timeoutSeconds = 300;
const upLine = /Reached target multi-user\.target/;

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
  const memory = watchesMemory ? watchMemory(machine, candidate.units) : undefined;
  const before = await readBlockCounters(device);
  const way = verb ? await goAndComeBack(machine, verb) : await stay(machine);
  const { flushes } = counted(before, await readBlockCounters(device));
  await command(['sync', '--file-system', machine.root]);
  const { bytesWritten } = counted(before, await readBlockCounters(device));
  const peak = await memory?.stop();
  await machine.exec('systemctl is-system-running --wait', { check: false, timeoutSeconds });
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

interface Way {
  askedSeconds: number;
  gapSeconds: number;
}

async function goAndComeBack(machine: Machine, verb: string): Promise<Way> {
  const { container } = machine;
  let timesUp = 0;
  const backInTheSame = container.waitForConsole((line) => upLine.test(line) && ++timesUp === 2);
  const askedSeconds = monotonicSeconds();
  await machine.exec(['systemctl', '--no-block', verb], { check: false });
  if ((await backInTheSame) !== undefined) return { askedSeconds, gapSeconds: 0 };
  const ends = [monotonicSeconds()];
  const begins: number[] = [];
  const boots = await machine.bootUntilSettled({
    timeoutSeconds,
    onConsole(line) {
      if (firstWord.test(line)) begins.push(monotonicSeconds());
    },
  });
  if (boots.at(-1)?.ended !== 'up') throw new Error(`it came back with ${boots.at(-1)?.ended ?? 'nothing'}`);
  ends.push(...boots.map(({ startedSeconds, seconds }) => startedSeconds + seconds));
  const gaps = begins.map((begin, index) => begin - (ends[index] ?? NaN));
  return { askedSeconds, gapSeconds: gaps.reduce((sum, gap) => sum + gap, 0) };
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
