/** To unmount the top level nobody waits but who comes next. */
import { mkdirSync } from 'node:fs';
import t from 'tap';
import type { RunCommand } from '../../src/host/command.js';
import { durableFiles } from '../../src/host/durable-files.js';
import { fileSystem } from '../../src/host/file-system.js';
import { btrfsSnapshots } from '../../src/snapshots/btrfs/btrfs.js';
import { pathsBelow } from '../../src/update/paths.js';
import { mountAt } from '../fixtures/mount-at.js';

const id = '20261120T154935-3f2a';

void t.test(
  'the way back is armed before its top level is unmounted, which the next mount waits for',
  async (t) => {
    const root = t.testdir({
      etc: {},
      run: { 'offline-update': { 'top-level': { '@': {} } } },
      var: { lib: {} },
    });
    const paths = pathsBelow(root);
    const told: string[] = [];
    let unmount = (): void => undefined;
    const run: RunCommand = async (file, args) => {
      const words = [file, ...args.slice(0, 2)].join(' ');
      const last = args.at(-1) ?? '';
      let stdout = '';
      if (words === 'btrfs subvolume snapshot') mkdirSync(last);
      if (words === 'btrfs subvolume get-default') stdout = 'ID 5 (FS_TREE)';
      if (words.startsWith('btrfs inspect-internal')) stdout = last.endsWith('/@') ? '256' : '300';
      if (file === 'mount') told.push('mount');
      if (file === 'umount') {
        if (told.length === 1) await new Promise<void>((resolve) => (unmount = resolve));
        told.push('unmounted');
      }
      return { exitCode: 0, signal: undefined, stdout, stderr: '' };
    };
    const options = ['subvolid=256', 'subvol=/@'];
    const kernel = {
      mounts: () => Promise.resolve([{ ...mountAt(root, { type: 'btrfs' }), options, root: '/@' }]),
      commandLine: () => Promise.resolve(['rootflags=subvol=@']),
      swapFiles: () => Promise.resolve([]),
    };
    const fs = { ...fileSystem, exchange: () => Promise.resolve(), syncFileSystem: () => Promise.resolve() };
    const provider = btrfsSnapshots({ paths, fs, files: durableFiles(fs), run, kernel });
    const fallback = await provider.armFallback(id);
    t.strictSame(told, ['mount'], 'armed');
    const reverted = provider.revert(fallback, id);
    let isSettled = false;
    const settled = provider.settled?.().then(() => {
      isSettled = true;
    });
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    t.strictSame(told, ['mount'], 'nobody mounts over it');
    t.notOk(isSettled, 'and it is not done');
    unmount();
    await settled;
    await reverted.catch(() => undefined);
    t.strictSame(told, ['mount', 'unmounted', 'mount', 'unmounted']);
  },
);
