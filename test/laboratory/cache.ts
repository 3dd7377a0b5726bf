import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { command } from './command.js';
import { LaboratoryError } from './laboratory-error.js';

/** Where the laboratory keeps what it builds once: `$OFFLINE_UPDATE_LAB` or /var/tmp/offline-update-lab. */
export function laboratoryFolder(): string {
  return process.env.OFFLINE_UPDATE_LAB ?? '/var/tmp/offline-update-lab';
}

/** What nobody has used for so long is removed when something new is built. */
const keepUnusedDays = 14;

/**
 * Returns the folder `<laboratory>/<kind>/<name>-<hash of the recipe>`. The first caller of all processes builds it,
 * under a lock, by `build(folder)`; it appears by one rename, so that it is whole or not there.
 * `recipe` is anything that JSON can show; it must change when the result of `build` would.
 */
export async function cachedFolder(
  kind: string,
  name: string,
  recipe: unknown,
  build: (folder: string) => Promise<void>,
): Promise<string> {
  const key = createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 16);
  const folder = join(laboratoryFolder(), kind, `${name}-${key}`);
  if (await touch(folder)) return folder;
  await mkdir(dirname(folder), { recursive: true });
  return withLock(`${folder}.lock`, async () => {
    if (await touch(folder)) return folder;
    await removeUnused(dirname(folder));
    const building = `${folder}.building`;
    await rm(building, { recursive: true, force: true });
    await mkdir(building);
    await build(building);
    await command(['sync', '--file-system', building]);
    await rename(building, folder);
    return folder;
  });
}

async function touch(folder: string): Promise<boolean> {
  const now = new Date();
  return utimes(folder, now, now).then(
    () => true,
    () => false,
  );
}

async function removeUnused(parent: string): Promise<void> {
  const oldest = Date.now() - keepUnusedDays * 86_400_000;
  for (const name of await readdir(parent)) {
    const path = join(parent, name);
    if (name.endsWith('.lock') || (await stat(path)).mtimeMs > oldest) continue;
    await rm(path, { recursive: true, force: true });
  }
}

/** Runs `action` while this process holds an exclusive flock(2) on `path`; waits for another holder. */
export async function withLock<T>(path: string, action: () => Promise<T>): Promise<T> {
  const descriptor = openSync(path, 'a');
  try {
    // The lock belongs to the open file, which we share with flock(1); it stays ours when flock has ended.
    const code = await new Promise<number | null>((resolve, reject) => {
      const flock = spawn('flock', ['--exclusive', '3'], {
        stdio: ['ignore', 'ignore', 'inherit', descriptor],
      });
      flock.on('error', reject).on('exit', resolve);
    });
    if (code !== 0) throw new LaboratoryError(`cannot lock ${path}: flock ended with ${code ?? 'a signal'}`);
    return await action();
  } finally {
    closeSync(descriptor);
  }
}
