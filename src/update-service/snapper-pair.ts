/** The pair of snapper snapshots around an update. Its failure is told and never fails the update. */
import { snapperConfiguration, snapperSnapshot } from '../snapshots/snapper.js';
import type { Attempt } from './attempt.js';

/** Before the first change. */
export async function beginSnapperPair(attempt: Attempt): Promise<void> {
  await told(attempt, async () => {
    const configuration = await snapperConfiguration(attempt.ports);
    if (configuration === undefined) return undefined;
    const pre = await snapperSnapshot(attempt.ports, configuration, attempt.update.id);
    attempt.snapper = { configuration, pre };
    return `${configuration}: pre-snapshot ${pre}`;
  });
}

/** When the updated system is proven. */
export async function endSnapperPair(attempt: Attempt): Promise<void> {
  const { snapper, update, ports } = attempt;
  if (!snapper) return;
  await told(attempt, async () => {
    const post = await snapperSnapshot(ports, snapper.configuration, update.id, snapper.pre);
    return `${snapper.configuration}: post-snapshot ${post} to ${snapper.pre}`;
  });
}

async function told({ update }: Attempt, act: () => Promise<string | undefined>): Promise<void> {
  const message = await act().catch((error: unknown) =>
    error instanceof Error ? error.message : String(error),
  );
  if (message !== undefined) await update.journal.append({ note: 'finding', check: 'snapper', message });
}
