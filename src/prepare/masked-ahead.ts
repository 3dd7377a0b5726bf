/**
 * Is something masked without which no boot goes on with the update whose link is there? What units/offline-update-generator
 * and units/guard then lead into the ordinary boot for, in words.
 */
import type { FileSystem } from '../host/file-system.js';
import type { Paths } from '../update/paths.js';
import type { TriggerTruth } from '../update/trigger-link.js';
import { lookUp, unitFolders } from './preflight/unit-lookup.js';

export interface MaskedAhead {
  /** One sentence, without an end. */
  means: string;
  remedy: string;
}

const [target, service] = ['system-update.target', 'offline-update.service'];

/** All of a row masked: nobody installs. Of an attempt that was begun the shell makes an end without the service. */
const whereArmed = [[target], [service]];
const whereClaimed = [
  [target],
  [service, 'offline-update-guard.service'],
  [service, 'offline-update-rescue.service'],
];

export async function maskedAhead(
  { fs, paths }: { fs: FileSystem; paths: Paths },
  links: readonly TriggerTruth[],
): Promise<MaskedAhead | undefined> {
  const isClaimed = links.some(({ claimed }) => claimed.kind === 'ours');
  if (!isClaimed && !links.some(({ link }) => link.kind === 'ours')) return undefined;
  const isMasked = async (unit: string): Promise<boolean> =>
    (await lookUp(fs, paths.root, unitFolders, unit)).kind === 'masked';
  for (const row of isClaimed ? whereClaimed : whereArmed) {
    if (!(await Promise.all(row.map(isMasked))).every(Boolean)) continue;
    const means = `${row.join(' and ')} ${row.length > 1 ? 'are' : 'is'} masked: the next boot does not go on with the update`;
    return { means, remedy: `systemctl unmask ${row.join(' ')}` };
  }
  return undefined;
}
