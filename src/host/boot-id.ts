/**
 * The kernel's boot id: new with every boot, the same for the whole boot. What must not happen twice in one boot is
 * keyed on it, never on clocks. (A soft-reboot keeps it: the kernel goes on.)
 */
import { readFile } from 'node:fs/promises';

export async function readBootId(path = '/proc/sys/kernel/random/boot_id'): Promise<string> {
  return (await readFile(path, 'utf8')).trim();
}
