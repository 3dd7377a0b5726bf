import { appendFileSync, linkSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { fileSystem } from '../../src/host/file-system.js';
import { changedParts, readEarlyParts } from '../../src/update/early-parts.js';

void t.test(
  'what came, went, was replaced or written to is told; what the boot loader itself writes is not',
  async (t) => {
    const root = t.testdir({
      etc: { fstab: 'a\n', crypttab: 'b\n' },
      usr: { lib: { modules: { '6.12.1': { 'modules.dep': 'a', 'modules.alias': 'b' } } } },
      boot: {
        ...{ 'initrd.img-1': 'one', 'vmlinuz-1': 'kernel', saved: {} },
        grub: { 'grub.cfg': 'set timeout=5\n', grubenv: '#' },
      },
    });
    const menu = join(root, 'boot/grub/grub.cfg');
    // Longer ago than the clock of a file system is coarse.
    utimesSync(menu, 1, 1);
    const before = await readEarlyParts(fileSystem, root);
    t.strictSame(changedParts(before, await readEarlyParts(fileSystem, root)), []);
    appendFileSync(join(root, 'etc/fstab'), 'c\n');
    rmSync(join(root, 'etc/crypttab'));
    writeFileSync(join(root, 'boot/initrd.img-2'), 'two');
    writeFileSync(join(root, 'boot/next'), 'one');
    renameSync(join(root, 'boot/next'), join(root, 'boot/initrd.img-1'));
    appendFileSync(join(root, 'boot/grub/grubenv'), 'x');
    appendFileSync(join(root, 'usr/lib/modules/6.12.1/modules.dep'), 'x');
    // update-grub writes into it, and here as much as before.
    writeFileSync(menu, 'set timeout=3\n');
    // As the copy saves it.
    linkSync(join(root, 'boot/vmlinuz-1'), join(root, 'boot/saved/vmlinuz-1'));
    t.strictSame(changedParts(before, await readEarlyParts(fileSystem, root)), [
      '/boot/grub/grub.cfg',
      '/boot/initrd.img-1',
      '/boot/initrd.img-2',
      '/etc/crypttab',
      '/etc/fstab',
      '/usr/lib/modules/6.12.1/modules.dep',
    ]);
  },
);
