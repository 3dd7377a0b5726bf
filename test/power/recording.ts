/**
 * A whole update, from the reboot into it to the ordinary boot that confirms it, with every write and flush of its disk.
 * The packages are real ones of Debian 13, PID 1, the C library, dpkg, apt, Node and the shell among them.
 */
import { join } from 'node:path';
import { packageUnderTest } from '../fixtures/package-under-test.js';
import {
  command,
  LaboratoryError,
  Machine,
  machineWithVersion1,
  putRepository,
  repackedPackages,
  rootImage,
  tinyPackages,
  type BootRecord,
  type Tree,
} from '../laboratory/laboratory.js';
import { makeDiskFolder, type DiskFolder } from '../laboratory/disk/disk-folder.js';
import { DiskLog } from '../laboratory/disk/disk-log.js';
import { DiskMachine } from '../laboratory/disk/disk-machine.js';
import { RecordedDisk } from '../laboratory/disk/recorded-disk.js';
import { StateTrees } from './state-tree.js';
import type { Variant } from './variants.js';

/** Those that depend on exactly their version come along. */
const realPackages = [
  ...['libc6', 'libc-bin', 'systemd', 'libsystemd-shared', 'libsystemd0', 'libudev1', 'dbus'],
  ...['dpkg', 'apt', 'nodejs', 'libnode115', 'bash', 'dash', 'coreutils', 'util-linux', 'perl-base', 'tar'],
  ...['gzip', 'sed', 'grep', 'zlib1g', 'libssl3t64'],
];
const fixturePackages = ['lab-conffile', ...tinyPackages(5)];
const diskMegabytes = 3072;

export interface Recording {
  variant: Variant;
  log: DiskLog;
  /** The image as it was before the first recorded write. */
  base: string;
  folder: DiskFolder;
  trees: StateTrees;
  old: Tree;
  updated: Tree;
  boots: readonly BootRecord[];
  /** The disk as it was at the end. */
  image: string;
  dispose(): void;
}

/** `mutate` changes the installed product before the update boot. */
export async function recordUpdate(
  variant: Variant,
  mutate: (machine: Machine) => Promise<void> = () => Promise.resolve(),
): Promise<Recording> {
  const folder = await makeDiskFolder();
  const [image, logFile] = [join(folder.memory, 'image'), join(folder.memory, 'log')];
  const base = join(folder.sharing, 'base');

  const source = await offeredUpdates();
  await DiskMachine.format(image, variant.fileSystem, diskMegabytes, source.root);
  await source.dispose();
  const trees = await arm(image, variant, mutate);
  await command(['cp', '--sparse=always', image, base]);

  const disk = await RecordedDisk.start(image, logFile, join(folder.path, 'disk'));
  const machine = await DiskMachine.mount(disk.file, variant.fileSystem);
  const old = trees.read(machine.root, false);
  const boots = await machine.bootUntilSettled({ timeoutSeconds: 300 });
  if (boots.at(-1)?.ended !== 'up') throw new LaboratoryError('the recorded update did not come back');
  await machine.stop();
  const updated = trees.read(machine.root, true);
  await machine.dispose();
  await disk.close();
  const log = new DiskLog(logFile);
  const dispose = () => {
    log.close();
    folder.remove();
  };
  return { variant, log, base, folder, trees, old, updated, boots, image, dispose };
}

/** A machine with all the packages in their old version, and the new ones on offer. */
async function offeredUpdates(): Promise<Machine> {
  const base = await rootImage({ packages: ['btrfs-progs'] });
  const debs = await repackedPackages(base, realPackages);
  const layer = await machineWithVersion1(fixturePackages, { base, install: [packageUnderTest()] });
  const machine = await Machine.on(layer);
  await putRepository(machine, debs, { suite: 'next', folder: '/srv/next' });
  await machine.run('apt-get update --quiet=2');
  return machine;
}

async function arm(
  image: string,
  { fileSystem, policy }: Variant,
  mutate: (machine: Machine) => Promise<void>,
): Promise<StateTrees> {
  const machine = await DiskMachine.mount(image, fileSystem);
  try {
    await machine.write('/etc/offline-update/config.d/50-test.toml', policy);
    await machine.start();
    await machine.exec(['offline-update', 'prepare', '--no-refresh']);
    // What is recorded ends with the update boot.
    await machine.exec(['offline-update', 'trigger', '--action', 'reboot']);
    await machine.stop();
    await machine.remove('/srv/next');
    await machine.remove('/srv/repository');
    await mutate(machine);
    return new StateTrees(machine.root);
  } finally {
    await machine.dispose();
  }
}
