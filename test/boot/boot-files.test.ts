/** /boot and the EFI system partition on file systems of their own, beside a btrfs root (docs/fallback.md). */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { BtrfsMachine } from '../laboratory/laboratory.js';
import { command, readTree, treeDifference, type Tree } from '../laboratory/laboratory.js';
import { armedBtrfsMachine, treeOf } from './btrfs-machines.js';
import { isBackToNormal, statusOf, versionsOf } from './installed.js';

const environment = `# GRUB Environment Block\n${'#'.repeat(999)}`;
const before = {
  boot: {
    'vmlinuz-1': 'kernel 1\n',
    'initrd.img-1': 'initrd 1\n',
    'grub.cfg': 'subvol=@\n',
    grubenv: environment,
  },
  efi: { 'shim.efi': 'shim 1\n', 'odd name\n.conf': 'odd\n' },
} as const;

/** What a kernel package does: a new kernel, another initrd, a new configuration; and GRUB's tool was cut in its midst. */
const kernelPackage = `#!/bin/sh
set -e
cp /usr/bin/true /boot/vmlinuz-2
echo "initrd 2" >/boot/initrd.img-1
echo "subvol=@.offline-update" >/boot/grub.cfg
: >/boot/grubenv
rm /boot/vmlinuz-1
mkdir /boot/efi/new
echo "shim 2" >/boot/efi/shim.efi
`;
/** The modules of the kernel that runs, as the package of a newer one brings them. */
const unpackModules =
  'mkdir --parents "/usr/lib/modules/$(uname -r)"\ntouch "/usr/lib/modules/$(uname -r)/lab.ko"\n';
/** Stands where a file system is mounted. */
const whoSeesModules = `[Unit]
DefaultDependencies=no
After=local-fs-pre.target
Before=local-fs.target
[Service]
Type=oneshot
ExecStart=sh -c '[ ! -e "/usr/lib/modules/$$(uname -r)/lab.ko" ] || echo lab-module-seen >/dev/console'
`;
const hook = '/etc/offline-update/after-install.d/50-kernel';
const written = `${kernelPackage}sync\necho lab-boot-written >/dev/console\nexec sleep infinity\n`;

async function bootMachine(t: Test, after: string): Promise<BtrfsMachine> {
  const machine = await armedBtrfsMachine(t, { packages: ['lab-good'] }, { ownBoot: true });
  for (const folder of ['efi', 'boot'] as const) {
    const path = machine.bootFolder(folder);
    await command(['find', path, '-mindepth', '1', '!', '-path', '*/boot/efi', '-delete']);
    for (const [name, text] of Object.entries(before[folder])) await writeFile(join(path, name), text);
  }
  await machine.write(hook, after);
  return machine;
}

async function bootTrees(machine: BtrfsMachine): Promise<Tree[]> {
  return [await readTree(machine.bootFolder('boot')), await readTree(machine.bootFolder('efi'))];
}

async function isAsBefore(t: Test, machine: BtrfsMachine, root: Tree, boot: readonly Tree[]): Promise<void> {
  t.strictSame(treeDifference(root, await treeOf(machine)), [], 'every file of the root is as it was');
  t.strictSame(await bootTrees(machine), boot, 'and of /boot and the EFI system partition');
  t.equal((await statusOf(machine)).state, 'reverted');
  t.notOk(machine.exists('/var/lib/offline-update/fallbacks/armed'));
  t.notOk(machine.exists('/var/lib/offline-update/fallbacks/restored'));
}

void t.test('a good update keeps what it wrote into /boot', async (t) => {
  const machine = await bootMachine(t, kernelPackage);
  await isBackToNormal(t, machine, await machine.bootUntilSettled());
  t.equal((await statusOf(machine)).state, 'confirmed');
  t.strictSame(await versionsOf(machine, ['lab-good']), { 'lab-good': '2.0' });
  const [boot] = await bootTrees(machine);
  t.strictSame([...(boot ?? new Map<string, string>()).keys()].sort(), [
    '/efi',
    '/grub.cfg',
    '/grubenv',
    '/initrd.img-1',
    '/vmlinuz-2',
  ]);
});

void t.test(
  'back and forward again by hand, and cleaned between: each root has what was in /boot with it',
  async (t) => {
    const machine = await bootMachine(t, kernelPackage.replace(': >/boot/grubenv\n', ''));
    const old = await bootTrees(machine);
    await isBackToNormal(t, machine, await machine.bootUntilSettled());
    const updated = await bootTrees(machine);
    for (const [boot, version] of [
      [old, '1.0'],
      [updated, '2.0'],
    ] as const) {
      await machine.exec('offline-update rollback --yes');
      await machine.exec('offline-update clean');
      await machine.stop();
      await isBackToNormal(t, machine, [await machine.start()]);
      t.strictSame(await versionsOf(machine, ['lab-good']), { 'lab-good': version });
      t.strictSame(await bootTrees(machine), boot);
    }
  },
);

void t.test('an update that failed has put /boot back before the machine is left', async (t) => {
  const machine = await bootMachine(t, `${kernelPackage}exit 1\n`);
  const [root, boot] = [await treeOf(machine), await bootTrees(machine)];
  t.equal((await machine.boot()).ended, 'reboot');
  t.strictSame(await bootTrees(machine), boot, 'the boot loader starts the fallback by what it read before');
  await isBackToNormal(t, machine, await machine.bootUntilSettled());
  await isAsBefore(t, machine, root, boot);
});

void t.test(
  'cut after /boot was written, and again while it is put back: the fallback puts it back',
  async (t) => {
    const machine = await bootMachine(t, written);
    const [root, boot] = [await treeOf(machine), await bootTrees(machine)];
    t.equal((await machine.boot({ killWhen: { match: /lab-boot-written/ } })).ended, 'killed');
    t.notSame(await bootTrees(machine), boot);
    await machine.write(
      '/usr/local/bin/cmp',
      '#!/bin/sh\necho lab-in-cmp >/dev/console\nexec sleep infinity\n',
    );
    t.equal((await machine.boot({ killWhen: { match: /lab-in-cmp/ } })).ended, 'killed');
    await machine.remove('/usr/local/bin/cmp');
    const boots = await machine.bootUntilSettled();
    t.strictSame(
      boots.map(({ ended }) => ended),
      ['up'],
      'the very next boot is the normal one',
    );
    await isBackToNormal(t, machine, boots);
    await isAsBefore(t, machine, root, boot);
  },
);

void t.test(
  'a kernel that has its modules in the failed root only: they are lent, and one reboot leads to the kernel that is in /boot again',
  async (t) => {
    const machine = await bootMachine(t, written.replace('set -e\n', `set -e\n${unpackModules}`));
    await machine.write('/usr/lib/modules/1-lab/modules.dep', '');
    await machine.write('/etc/systemd/system/lab-module.service', whoSeesModules);
    await machine.link(
      '../lab-module.service',
      '/etc/systemd/system/sysinit.target.wants/lab-module.service',
    );
    const [root, boot] = [await treeOf(machine), await bootTrees(machine)];
    t.equal((await machine.boot({ killWhen: { match: /lab-boot-written/ } })).ended, 'killed');
    const boots = await machine.bootUntilSettled();
    t.strictSame(
      boots.map(({ ended }) => ended),
      ['reboot', 'up'],
    );
    t.match(boots[0]?.console.join('\n'), /has its modules in @\.offline-update-\S+ only: lent/);
    t.match(boots[0]?.console.join('\n'), /lab-module-seen/, 'before /boot is mounted');
    await isBackToNormal(t, machine, boots);
    await isAsBefore(t, machine, root, boot);
  },
);
