/** What the boot loader's configuration in a root says: which kernel, which initrd, which words (grub.cfg, BLS). */
import { join } from 'node:path';
import type { FileSystem } from '../host/file-system.js';
import { namesIn, textOf } from '../host/if-there.js';

export interface BootEntry {
  /** Where it stands, as seen in the root. */
  file: string;
  /** As the boot loader finds it: often below the name of the subvolume. */
  kernel: string;
  initrds: string[];
  words: string[];
}

export const GRUB_CONFIGURATIONS = ['/boot/grub/grub.cfg', '/boot/grub2/grub.cfg'];
const ENTRIES_FOLDER = '/boot/loader/entries';

export async function bootEntries(fs: FileSystem, root: string): Promise<BootEntry[]> {
  const found: BootEntry[] = [];
  for (const file of GRUB_CONFIGURATIONS)
    found.push(...grubEntries(file, await textOf(fs, join(root, file))));
  for (const name of await namesIn(fs, join(root, ENTRIES_FOLDER))) {
    const file = join(ENTRIES_FOLDER, name);
    if (name.endsWith('.conf')) found.push(...blsEntry(file, await textOf(fs, join(root, file))));
  }
  return found;
}

/** `linux` begins an entry, `initrd` belongs to the one before it; `linuxefi` and `linux16` are the same. */
export function grubEntries(file: string, text: string): BootEntry[] {
  const entries: BootEntry[] = [];
  for (const line of text.split('\n')) {
    const [command = '', ...words] = line.trim().split(/\s+/);
    if (/^linux(efi|16)?$/.test(command)) {
      entries.push({ file, kernel: words[0] ?? '', initrds: [], words: words.slice(1) });
    } else if (/^initrd(efi|16)?$/.test(command)) {
      entries.at(-1)?.initrds.push(...words);
    }
  }
  return entries;
}

function blsEntry(file: string, text: string): BootEntry[] {
  const lines = text.split('\n').map((line) => line.trim().split(/\s+/));
  const of = (key: string): string[] => lines.flatMap(([first, ...rest]) => (first === key ? rest : []));
  const [kernel] = of('linux');
  return kernel === undefined ? [] : [{ file, kernel, initrds: of('initrd'), words: of('options') }];
}
