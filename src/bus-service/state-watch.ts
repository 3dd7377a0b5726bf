/**
 * What is known of the update and of what goes on, kept up to date by the files that say so: also what the command or a
 * hook does is told at once. One look at a time; changes in the meantime make one look more.
 *
 * The progress changes several times a second, and is one small file; all else is read only when something else changed.
 * Every verb takes and leaves the lock, so that its end is seen, whatever files it touched.
 */
import { join } from 'node:path';
import { folderWatch } from '../host/watch-folder.js';
import type { Online } from '../prepare/online.js';
import { currentOrProblem } from '../prepare/status.js';
import { readLiveStatus } from '../update/live-status.js';
import type { Known } from './properties.js';

export type Seen = Pick<Known, 'id' | 'state' | 'problem' | 'live'>;

export interface StateWatch {
  /** Resolves when what is there now was told. Errors: none; what cannot be read stays as it was. */
  look(): Promise<void>;
  seen(): Seen;
  close(): void;
}

export async function stateWatch(online: Online, onSeen: (seen: Seen) => void): Promise<StateWatch> {
  const { fs, paths } = online;
  let seen: Seen = { id: null, state: { name: 'none' }, problem: null, live: undefined };
  let isOld = false;
  let isLiveOld = false;
  let looking: Promise<void> | undefined;

  const lookOnce = async (): Promise<void> => {
    const withUpdate = isOld;
    isOld = isLiveOld = false;
    watch.over(folders());
    const live = await readLiveStatus(fs, paths).catch(() => undefined);
    seen = { ...seen, ...(withUpdate && (await readUpdate(online))), live };
    // a folder that is watched only now may have changed since it was read
    if (watch.over(folders())) isOld = true;
    onSeen(seen);
  };
  /** Never rejects: nobody waits for a look after a change, and one that fails must not be the last. */
  const lookOn = async (): Promise<void> => {
    await Promise.resolve(); // so that it is known to be under way before it can be over
    while (isOld || isLiveOld) await lookOnce().catch(() => undefined);
    looking = undefined;
  };
  const look = (): Promise<void> => {
    isOld = true;
    return (looking ??= lookOn());
  };
  const watch = folderWatch((path) => {
    const isLive = path === paths.statusFile || path.startsWith(join(paths.runFolder, '.status'));
    if (isLive) isLiveOld = true;
    else isOld = true;
    looking ??= lookOn();
  });
  const folders = (): string[] => [
    paths.runFolder,
    paths.state,
    paths.updates,
    ...(seen.id === null ? [] : [join(paths.updates, seen.id)]),
  ];
  await fs.makeFolder(paths.runFolder, 0o755);
  await look();
  return {
    look,
    seen: () => seen,
    close() {
      watch.close();
    },
  };
}

/** Undefined at the very moment in which a folder is swapped; the end of that is a change again. */
async function readUpdate({ store }: Online): Promise<Omit<Seen, 'live'> | undefined> {
  try {
    const { update, problem } = await currentOrProblem({ store });
    return { id: update?.id ?? null, state: update?.journal.state ?? { name: 'none' }, problem };
  } catch {
    return undefined;
  }
}
