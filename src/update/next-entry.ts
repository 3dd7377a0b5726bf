/**
 * The entry that GRUB starts next, taken out of grub.cfg as text. Only what `update-grub` writes is understood, and only
 * where nothing else can have a say: whatever is in doubt is a reason, and the boot loader decides for itself.
 */
import { basename, dirname, join } from 'node:path';
import { exists } from '../host/exists.js';
import type { FileSystem } from '../host/file-system.js';
import { namesIn, textOf } from '../host/if-there.js';
import { splitKernelWords } from '../host/kernel-command-line.js';
import { GRUB_CONFIGURATIONS, grubEntries } from './boot-entries.js';

export interface NextEntry {
  /** As this system finds them, below /boot. */
  image: string;
  initrd: string;
  /** All that GRUB gives, `BOOT_IMAGE=` among it. */
  commandLine: string;
  words: string[];
}

/** `root` is where the files lie; or why it is not certain, as a sentence without its full stop. */
export async function nextEntry(fs: FileSystem, root: string): Promise<NextEntry | string> {
  const there = await Promise.all(GRUB_CONFIGURATIONS.map((file) => exists(fs, join(root, file))));
  const [file, ...more] = GRUB_CONFIGURATIONS.filter((_, index) => there[index]);
  if (file === undefined) return 'no grub.cfg says which kernel boots next';
  if (more.length > 0) return `there is ${file} and ${more.join(', ')}`;
  const text = await textOf(fs, join(root, file));
  const elsewhere = (await decidedElsewhere(fs, root, dirname(file))) ?? notTheFirst(text);
  if (elsewhere !== undefined) return elsewhere;
  const [entry, ...others] = grubEntries(file, firstEntry(text) ?? '');
  if (!entry || others.length > 0)
    return `the first entry of ${file} is not one that update-grub writes for a kernel`;
  const words = [`BOOT_IMAGE=${entry.kernel}`, ...entry.words];
  const [initrd] = entry.initrds;
  if (initrd === undefined || entry.initrds.length > 1 || /["'\\$]/.test([...words, initrd].join('')))
    return `the first entry of ${file} says more than can be taken over: ${entry.words.join(' ')}`;
  return notAsThisBoot(words, splitKernelWords(await textOf(fs, join(root, '/proc/cmdline'))), {
    image: join('/boot', basename(entry.kernel)),
    initrd: join('/boot', basename(initrd)),
    commandLine: words.join(' '),
    words,
  });
}

/** Of other boot loaders that are known to lie beside GRUB: nobody knows which one the firmware starts. */
const otherLoaders = [
  ...['/boot/loader/entries', '/boot/efi/loader/entries', '/efi/loader/entries'],
  ...['/boot/efi/EFI/Linux', '/efi/EFI/Linux', '/boot/efi/EFI/systemd', '/efi/EFI/systemd'],
  ...['/boot/extlinux', '/boot/syslinux', '/boot/firmware'],
];

async function decidedElsewhere(fs: FileSystem, root: string, grub: string): Promise<string | undefined> {
  for (const folder of otherLoaders)
    if ((await namesIn(fs, join(root, folder))).length > 0)
      return `${folder} holds what another boot loader reads`;
  // Read by /etc/grub.d/41_custom, and may choose another entry.
  const custom = join(grub, 'custom.cfg');
  if (await exists(fs, join(root, custom))) return `${custom} may say otherwise`;
  const environment = await textOf(fs, join(root, grub, 'grubenv'));
  return /^next_entry=./m.test(environment) ? 'GRUB is told to boot another entry once' : undefined;
}

/** GRUB's own branch for `grub-reboot` stands in every file, and acts where the environment names an entry. */
function notTheFirst(text: string): string | undefined {
  const defaults = [...text.matchAll(/^\s*(?:set\s+)?default=(.*)$/gm)].map(([, value = '']) =>
    value.trim().replace(/^"(.*)"$/, '$1'),
  );
  return defaults.some((value) => value !== '0' && value !== '${next_entry}')
    ? 'it is not the first entry of grub.cfg that boots'
    : undefined;
}

/** Its text, where the first that the menu shows is an entry of a kernel, and no condition decides on it. */
function firstEntry(text: string): string | undefined {
  const lines = text.split('\n').filter((line) => !line.trimStart().startsWith('#'));
  const begin = lines.findIndex((line) => /^\s*(menuentry|submenu)\s/.test(line));
  const end = lines.indexOf('}', begin);
  if (begin < 0 || end < 0 || !lines[begin]?.startsWith('menuentry ')) return undefined;
  const body = lines.slice(begin + 1, end);
  const isOther = /^\s*(source|configfile|chainloader|devicetree|multiboot2?|module2?)\s/;
  const decisive = body.flatMap((line, index) =>
    /^\s*(linux|initrd)/.test(line) ? [begin + 1 + index] : [],
  );
  const isPlain = [begin, ...decisive].every((index) => isUnconditional(lines.slice(0, index).join('\n')));
  return isPlain && !body.some((line) => isOther.test(line)) ? body.join('\n') : undefined;
}

/** What comes after this text. */
function isUnconditional(before: string): boolean {
  const count = (pattern: RegExp): number => [...before.matchAll(pattern)].length;
  return count(/(?:^|[;\s])if(?=\s)/g) === count(/(?:^|[;\s])fi(?=[;\s]|$)/g);
}

/**
 * What led to this root leads to it again: the same folder of kernels, and the same words that say what the root is. A
 * boot that GRUB did not make has no `BOOT_IMAGE=`.
 */
function notAsThisBoot(
  next: readonly string[],
  booted: readonly string[],
  found: NextEntry,
): NextEntry | string {
  for (const key of ['BOOT_IMAGE', 'root', 'rootflags', 'rootfstype', 'init']) {
    const [before, after] = [booted, next].map((words) => {
      const said = words.filter((word) => word.startsWith(`${key}=`));
      return (key === 'BOOT_IMAGE' ? said.map(dirname) : said).join(' ');
    });
    if (before !== after)
      return `GRUB would say ${after || `no ${key}=`}, and this boot has ${before || 'none'}`;
  }
  return found;
}
