import { join } from 'node:path';
import t, { type Test } from 'tap';
import { fileSystem } from '../../src/host/file-system.js';
import { nextEntry, type NextEntry } from '../../src/update/next-entry.js';
import {
  grubConfiguration,
  grubEntry,
  grubHeader,
  image,
  initrd,
  kexecMachine,
  plant,
  words,
  type Files,
} from '../fixtures/kexec-machine.js';

let machines = 0;

function next(t: Test, files: Files = {}): Promise<NextEntry | string> {
  const root = join(t.testdirName, String((machines += 1)));
  plant(root, { ...kexecMachine, ...files });
  return nextEntry(fileSystem, root);
}
const grub = (text: string): Files => ({ '/boot/grub/grub.cfg': text });

void t.test('the first entry of GRUB, with all the words that GRUB would give', async (t) => {
  t.testdir({});
  const found = { image, initrd, commandLine: `BOOT_IMAGE=/@${image} ${words}` };
  t.match(await next(t), found);
  t.match(await next(t, grub(grubConfiguration.replace('default="0"', 'default=0'))), found);
  const bare = (text: string): string => text.replaceAll('/@/boot', '');
  const separate = {
    ...grub(bare(grubConfiguration)),
    '/proc/cmdline': bare(kexecMachine['/proc/cmdline'] ?? ''),
  };
  const commandLine = `BOOT_IMAGE=/vmlinuz-6.12.2-amd64 ${words}`;
  t.match(await next(t, separate), { image, initrd, commandLine }, '/boot is a file system of its own');
});

const notFirst = 'it is not the first entry of grub.cfg that boots';
const notWritten = 'the first entry of /boot/grub/grub.cfg is not one that update-grub writes for a kernel';
const tooMuch = 'the first entry of /boot/grub/grub.cfg says more than can be taken over:';
const first = (text: string): Files => grub(grubHeader() + text + grubEntry);
const changed = (from: string | RegExp, to: string): Files =>
  grub(grubHeader() + grubEntry.replace(from, to));
const doubts: [why: string, files: Files][] = [
  ['no grub.cfg says which kernel boots next', { '/boot/grub/grub.cfg': undefined }],
  ['there is /boot/grub/grub.cfg and /boot/grub2/grub.cfg', { '/boot/grub2/grub.cfg': grubConfiguration }],
  [
    '/boot/loader/entries holds what another boot loader reads',
    { '/boot/loader/entries/a.conf': 'linux /a' },
  ],
  ['/boot/efi/EFI/Linux holds what another boot loader reads', { '/boot/efi/EFI/Linux/a.efi': '' }],
  ['/boot/grub/custom.cfg may say otherwise', { '/boot/grub/custom.cfg': 'set default=2' }],
  ['GRUB is told to boot another entry once', { '/boot/grub/grubenv': 'next_entry=2\n' }],
  [notFirst, grub(grubHeader('${saved_entry}') + grubEntry)],
  [notFirst, grub(grubHeader('1>2') + grubEntry)],
  [notFirst, grub(`${grubConfiguration}\nset default=1\n`)],
  [notWritten, grub(grubHeader())],
  [notWritten, first("menuentry 'Memory test' {\n\tlinux16 /memtest\n\tlinux16 /memtest2\n}\n")],
  [notWritten, first("menuentry 'Another system' {\n\tchainloader +1\n}\n")],
  [notWritten, first("submenu 'All' {\n\tmenuentry 'One' {\n\t\tlinux /a\n\t\tinitrd /b\n\t}\n}\n")],
  [notWritten, first('if [ "${mode}" = menu ]; then\n')],
  [notWritten, changed('\tlinux\t', '\tif [ -s /a ]; then\n\tlinux\t')],
  [notWritten, changed('\tinitrd', '\tdevicetree /board.dtb\n\tinitrd')],
  [`${tooMuch} root=UUID=7d $vt_handoff`, changed(words, 'root=UUID=7d $vt_handoff')],
  [`${tooMuch} root=UUID=7d "a b"`, changed(words, 'root=UUID=7d "a b"')],
  [`${tooMuch} ${words}`, changed(`/@${initrd}`, `/@/boot/ucode.img /@${initrd}`)],
  [`${tooMuch} ${words}`, changed(/\tinitrd.*\n/, '')],
  [
    'GRUB would say rootflags=subvol=@old, and this boot has rootflags=subvol=@',
    changed('subvol=@', 'subvol=@old'),
  ],
  ['GRUB would say root=UUID=8e, and this boot has root=UUID=7d', changed('root=UUID=7d', 'root=UUID=8e')],
  [
    'GRUB would say BOOT_IMAGE=/@old/boot, and this boot has BOOT_IMAGE=/@/boot',
    changed('/@/boot', '/@old/boot'),
  ],
  ['GRUB would say BOOT_IMAGE=/@/boot, and this boot has none', { '/proc/cmdline': words }],
  [
    'GRUB would say no init=, and this boot has init=/bin/sh',
    { '/proc/cmdline': `BOOT_IMAGE=/@${image} ${words} init=/bin/sh` },
  ],
];

void t.test('any doubt about it is told', async (t) => {
  t.testdir({});
  for (const [why, files] of doubts) t.equal(await next(t, files), why);
});
