import { join } from 'node:path';
import t from 'tap';
import { fileSystem, type FileSystem } from '../../src/host/file-system.js';
import type { Mount } from '../../src/host/mounts.js';
import { bootMounts } from '../../src/snapshots/boot-mounts.js';
import { pathsBelow } from '../../src/update/paths.js';
import { mountAt } from '../fixtures/mount-at.js';

const at = (root: string, path: string, type: string): Mount => mountAt(join(root, path), { type });

void t.test('all that is mounted in /boot and /efi, and what is mounted there on demand', async (t) => {
  const root = t.testdir({ boot: { firmware: {} }, efi: {} });
  let asked = false;
  const fs: FileSystem = {
    ...fileSystem,
    readFolder: (path) => {
      asked ||= path === join(root, 'efi');
      return fileSystem.readFolder(path);
    },
  };
  const mounts = (): Promise<Mount[]> =>
    Promise.resolve([
      at(root, '/', 'ext4'),
      at(root, '/efi', 'autofs'),
      at(root, '/boot/firmware', 'vfat'),
      at(root, '/boot', 'ext4'),
      at(root, '/boots', 'ext4'),
      at(root, '/efi.old', 'vfat'),
      ...(asked ? [at(root, '/efi', 'vfat')] : []),
    ]);
  t.strictSame(await bootMounts({ fs, paths: pathsBelow(root) }, mounts), [
    '/boot',
    '/boot/firmware',
    '/efi',
  ]);
});

void t.test('what is to be mounted on demand and cannot be is none', async (t) => {
  const root = t.testdir({});
  const mounts = (): Promise<Mount[]> => Promise.resolve([at(root, '/efi', 'autofs')]);
  t.strictSame(await bootMounts({ fs: fileSystem, paths: pathsBelow(root) }, mounts), []);
});
