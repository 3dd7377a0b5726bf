/**
 * The way back, rehearsed with no change: armed, looked at as the next boot will see it, committed, removed. A power
 * cut in between boots the snapshot, whose mark says `drill`; the root that ran is then kept as a fallback.
 */
import { join } from 'node:path';
import { UpdateError } from '../../update/errors.js';
import type { DrillStep } from '../snapshot-provider.js';
import { arm } from './arm.js';
import { deleteSubvolume } from './btrfs-command.js';
import { ownRoots } from './kept-roots.js';
import type { UsableLayout } from './layout.js';
import { proveFallback } from './prove-fallback.js';
import type { Reference } from './reference.js';
import { bootNext, type BtrfsPorts } from './top-level.js';

/** The running root boots next when it settles, whatever was found. Errors: `SNAPSHOT_FAILED`. */
export async function drill(
  ports: BtrfsPorts,
  top: string,
  layout: UsableLayout,
  id: string,
): Promise<DrillStep[]> {
  const { files, paths } = ports;
  for (const own of await ownRoots(ports, top, layout)) {
    if (own.is === 'residue') await deleteSubvolume(ports, top, own.name);
  }
  const steps: DrillStep[] = [];
  const timed = async <T>(step: string, act: () => Promise<T>): Promise<T> => {
    const began = process.hrtime.bigint();
    const result = await act();
    steps.push({ step, seconds: Number(process.hrtime.bigint() - began) / 1e9, findings: [] });
    return result;
  };
  const reference = await timed('arm', () => arm(ports, top, layout, id, { role: 'drill' }));
  try {
    const findings = await timed('prove', () => proveFallback(ports, layout, reference, id));
    steps.at(-1)?.findings.push(...findings);
  } finally {
    await timed('commit', () => takeBack(ports, top, reference));
    await files.remove(paths.fallbackArmed);
  }
  await timed('remove', () => deleteSubvolume(ports, top, reference.other));
  return steps;
}

async function takeBack(ports: BtrfsPorts, top: string, reference: Reference): Promise<void> {
  try {
    await bootNext(ports, top, reference, 'root');
  } catch (error) {
    const boots = join('/', reference.root);
    throw new UpdateError(
      'SNAPSHOT_FAILED',
      `the snapshot of the drill still boots next as ${boots}: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error, hint: 'offline-update doctor --drill' },
    );
  }
}
