import { join } from 'node:path';
import t from 'tap';
import type { RunCommand } from '../../src/host/command.js';
import { fileSystem } from '../../src/host/file-system.js';
import { readSwapFiles } from '../../src/host/swap-files.js';
import { layoutOfMachine } from '../../src/snapshots/btrfs/machine-layout.js';
import { pathsBelow } from '../../src/update/paths.js';
import { mountAt } from '../fixtures/mount-at.js';

void t.test('files that are swapped to, and no partitions', async (t) => {
  const swaps = `Filename				Type		Size		Used		Priority
/dev/dm-1                               partition	8388604		0		-2
/swap\\040files/one                      file		2097148		0		-3
/dev/zram0                              partition	100		0		100
`;
  const folder = t.testdir({ swaps });
  t.strictSame(await readSwapFiles(join(folder, 'swaps')), ['/swap files/one']);
  t.strictSame(await readSwapFiles(join(folder, 'none')), [], 'a kernel without swapping');
});

void t.test(
  'a root that is swapped to has no snapshots, but a fallback that is there may be used',
  async (t) => {
    const root = t.testdir({ etc: { fstab: '' }, swapfile: '' });
    const run: RunCommand = (_, args) =>
      Promise.resolve({
        exitCode: 0,
        signal: undefined,
        stdout: args.includes('get-default') ? 'ID 256 gen 10 top level 5 path @' : '',
        stderr: '',
      });
    const options = ['rw', 'subvolid=256', 'subvol=/@'];
    const mount = mountAt(root, { source: '/dev/sda2', type: 'btrfs', root: '/@', options });
    const machine = (swapFiles: string[]) => ({
      ...{ paths: pathsBelow(root), fs: fileSystem, run },
      kernel: {
        mounts: () => Promise.resolve([mount]),
        commandLine: () => Promise.resolve([]),
        swapFiles: () => Promise.resolve(swapFiles),
      },
    });
    t.strictSame(await layoutOfMachine(machine(['/swapfile']), 'room'), {
      by: 'nothing',
      reason:
        'the swap file /swapfile lies in it, and btrfs makes no snapshot of that: move it to a subvolume of its own',
    });
    t.match(await layoutOfMachine(machine(['/swapfile']), 'no room'), { by: 'default' });
    t.match(await layoutOfMachine(machine(['/gone (deleted)']), 'room'), { by: 'default' });
  },
);
