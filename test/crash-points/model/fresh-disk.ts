/** The disk of a machine whose update is prepared, sealed and durable, and nothing else has happened yet. */
import { durableFiles } from '../../../src/host/durable-files.js';
import { pathsBelow } from '../../../src/update/paths.js';
import { planText, type Plan } from '../../../src/update/plan.js';
import { defaultPolicy } from '../../../src/update/policy.js';
import { sealStage } from '../../../src/update/stage.js';
import { updateStore } from '../../../src/update/store.js';
import { TOP_LEVEL } from './btrfs-commands.js';
import { Disk, RUN, RUN_DEVICE, SUPERBLOCK, type Graph, type Inode } from './disk.js';
import { diskFileSystem } from './disk-file-system.js';
import {
  contentOf,
  database,
  databaseOf,
  grubConfiguration,
  grubText,
  installedFile,
  packageNames,
  plannedChanges,
} from './stand-in-payload.js';
import type { Layout } from './machine-ports.js';

const ROOT = 256;
export const updateId = '20261120T154935-3f2a';

const units = [
  'system-update.target',
  'offline-update.service',
  'offline-update-guard.service',
  'offline-update-rescue.service',
];

export async function freshDisk(layout: Layout, hook: string, attempts?: number): Promise<Graph> {
  const disk = new Disk(emptyGraph(layout));
  const view = {
    disk,
    mounts: new Map([
      ['/', ROOT],
      ['/run', RUN],
    ]),
  };
  const fs = diskFileSystem(view);
  const files = durableFiles(fs);
  const paths = pathsBelow('/');
  const write = async (path: string, text: string, mode = 0o644): Promise<void> => {
    await fs.makeFolder(path.slice(0, path.lastIndexOf('/')), 0o755);
    await fs.createFile(path, text, mode);
  };
  await fs.makeFolder('/run', 0o755);
  for (const name of packageNames) await write(installedFile(name), contentOf(name, 'old'));
  await write(database, databaseOf('old'));
  await write(grubConfiguration, grubText(layout === 'by name' ? '@' : undefined));
  await write('/etc/fstab', '');
  await write(hook, '#!/bin/sh\n', 0o755);
  for (const unit of units) await write(`/usr/lib/systemd/system/${unit}`, '[Unit]\n');
  const wants = '/usr/lib/systemd/system/system-update.target.wants';
  await fs.makeFolder(wants, 0o755);
  await fs.symlink('../offline-update.service', `${wants}/offline-update.service`);
  for (const name of ['offline-update-generator', 'systemd-system-update-generator']) {
    await write(`/usr/lib/systemd/system-generators/${name}`, '#!/bin/sh\n', 0o755);
  }

  await fs.makeFolder(paths.state, 0o755);
  await fs.makeFolder(`${paths.stage}/packages`, 0o700);
  await fs.changeMode(paths.stage, 0o700);
  for (const name of packageNames) {
    await fs.createFile(`${paths.stage}/packages/${name}.deb`, contentOf(name, 'new'), 0o600);
  }
  const sealed = await sealStage(fs, paths.stage);
  const plan: Plan = {
    format: 1,
    id: updateId,
    createdAt: '2026-11-20T15:49:35.000Z',
    request: { mode: 'upgrade', packages: [] },
    payload: plannedChanges(new Map(sealed.map(({ path, sha256 }) => [path, sha256]))),
    files: sealed,
    policy: { ...defaultPolicy, ...(attempts !== undefined && { attempts }) },
  };
  await fs.createFile(`${paths.stage}/plan.json`, planText(plan), 0o600);
  await updateStore({ paths, fs, files, moment: { now: () => new Date(0), bootId: 'boot-0' } }).record(plan);
  disk.syncAll();
  return disk.durable;
}

function emptyGraph(layout: Layout): Graph {
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const folder = (device: number, names: [string, number][] = []): Inode => ({
    kind: 'folder',
    text: '',
    mode: 0o755,
    ...owner,
    device,
    names: new Map(names),
  });
  const byDefault = layout === 'by name' ? TOP_LEVEL : ROOT;
  return new Map([
    [
      SUPERBLOCK,
      folder(0, [
        ['top', TOP_LEVEL],
        ['default', byDefault],
      ]),
    ],
    [RUN, folder(RUN_DEVICE)],
    [TOP_LEVEL, folder(TOP_LEVEL, [['@', ROOT]])],
    [ROOT, folder(ROOT)],
  ]);
}
