/**
 * units/claim as it acts on the disk, step by step. test/crash-points/claim.test.ts holds it against the real script.
 */
import { dirname } from 'node:path';
import { exists } from '../../../src/host/exists.js';
import type { FileSystem } from '../../../src/host/file-system.js';
import { CLAIMED_SUFFIX, type Paths } from '../../../src/update/paths.js';
import { readTriggers } from '../../../src/update/trigger-link.js';

/** The exit status: 0 claimed, 1 not ours, 255 a copy is to be put back by the shell. */
export async function claim(fs: FileSystem, paths: Paths, bootId: string): Promise<0 | 1 | 255> {
  const triggers = await readTriggers(fs, paths.triggers);
  if (triggers.some(({ link }) => link.kind !== 'absent' && link.kind !== 'ours')) return 1;
  for (const { path, link, claimed } of triggers) {
    if (link.kind === 'ours') {
      let forgotten = false;
      for (const stale of [paths.copyArmed, paths.copyRestored]) {
        if (!(await exists(fs, stale))) continue;
        await fs.unlink(stale);
        forgotten = true;
      }
      if (forgotten) await fs.syncFolder(dirname(paths.copyArmed));
      await fs.rename(path, path + CLAIMED_SUFFIX);
      await fs.syncFolder(path.slice(0, path.lastIndexOf('/')) || '/');
    } else if (claimed.kind !== 'ours') {
      continue;
    }
    await fs.appendFile(paths.claims, `${bootId}\n`);
    await fs.syncFile(paths.claims);
    if (link.kind === 'ours') return 0;
    return (await exists(fs, paths.copyArmed)) || (await exists(fs, paths.copyRestored)) ? 255 : 0;
  }
  return 1;
}
