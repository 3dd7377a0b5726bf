/** The file by which another tool says that it wants a reboot (Debian's kernel hooks, needrestart), and for what. */
import { join } from 'node:path';
import { exists } from '../host/exists.js';
import type { FileSystem } from '../host/file-system.js';
import { textOf } from '../host/if-there.js';

/** Beside it, with `.pkgs`, the packages that asked for it. */
export const REBOOT_REQUIRED = '/run/reboot-required';

/** Their names, sorted; none where it does not say for what. Undefined when no reboot is wanted. */
export async function rebootRequired(fs: FileSystem, root: string): Promise<string[] | undefined> {
  if (!(await exists(fs, join(root, REBOOT_REQUIRED)))) return undefined;
  const lines = (await textOf(fs, join(root, `${REBOOT_REQUIRED}.pkgs`))).split('\n');
  return [...new Set(lines.filter((line) => line !== ''))].sort();
}
