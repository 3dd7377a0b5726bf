/**
 * The stage that is being built, `system-update.next`: opened for the download, filled from what is there already,
 * closed for the seal. It is kept when `prepare` fails or is interrupted, so that the next run goes on from it.
 *
 * While it is open, apt's unprivileged downloader must be able to pass (0755); closed, only root may (0700, 0600).
 */
import { basename, join } from 'node:path';
import type { FileSystem } from '../host/file-system.js';
import { exists } from '../host/exists.js';
import { ifThere, namesIn, textOf } from '../host/if-there.js';
import { stageLayout } from '../update/paths.js';
import type { PayloadPlan } from '../update/plan.js';
import type { Online } from './online.js';

const goneOnWith: ReadonlySet<string> = new Set([stageLayout.packages, stageLayout.recompressed]);

/** Made if it is not there; what an interrupted run left is kept, a thing that is not ours to follow is not. */
export async function openNextStage({ fs, paths }: Pick<Online, 'fs' | 'paths'>): Promise<void> {
  const packages = join(paths.nextStage, stageLayout.packages);
  for (const folder of [paths.nextStage, packages]) {
    if ((await kindOf(fs, folder)) !== 'folder') await fs.removeTree(folder);
    await fs.makeFolder(folder, 0o755);
    await fs.changeMode(folder, 0o755);
  }
  // Whatever lies here is sealed. A run that was killed leaves apt's log, a former stage that was exchanged its plan and lists.
  for (const name of await fs.readFolder(paths.nextStage)) {
    if (!goneOnWith.has(name)) await fs.removeTree(join(paths.nextStage, name));
  }
}

/** True when there is no download to go on with. */
export async function isEmptyNextStage({ fs, paths }: Pick<Online, 'fs' | 'paths'>): Promise<boolean> {
  return (await fs.readFolder(join(paths.nextStage, stageLayout.packages))).length === 0;
}

/**
 * Takes over from the present stage what the new plan may need again. The content is judged by the payload's `fetch`, as
 * of every file that it finds, and by the seal.
 */
export async function reuseStagedFiles(
  { fs, paths }: Pick<Online, 'fs' | 'paths'>,
  payload: PayloadPlan,
): Promise<void> {
  const staged = new Set(await namesIn(fs, join(paths.stage, stageLayout.packages)));
  if (staged.size === 0) return;
  const record = await textOf(fs, join(paths.stage, stageLayout.recompressed));
  if (record !== '') await fs.appendFile(join(paths.nextStage, stageLayout.recompressed), `\n${record}`);
  for (const { file, sizeBytes } of payload.changes) {
    if (file === null || !staged.has(basename(file))) continue;
    const [from, to] = [join(paths.stage, file), join(paths.nextStage, file)];
    const { kind, size } = await fs.lstat(from);
    if (kind !== 'file' || (size !== sizeBytes && record === '') || (await exists(fs, to))) continue;
    // Under another name first: a kill in the middle of the copy must not leave half a file under the right one.
    await fs.copyFile(from, `${to}.copy`);
    await fs.changeMode(`${to}.copy`, 0o644);
    await fs.rename(`${to}.copy`, to);
  }
}

/** Drops what an earlier plan left among the packages, also what apt left of its own. */
export async function dropUnplanned(
  { fs, paths }: Pick<Online, 'fs' | 'paths'>,
  payload: PayloadPlan,
): Promise<void> {
  const folder = join(paths.nextStage, stageLayout.packages);
  const planned = new Set(payload.changes.map(({ file }) => file));
  for (const name of await fs.readFolder(folder)) {
    if (!planned.has(`${stageLayout.packages}/${name}`)) await fs.removeTree(join(folder, name));
  }
}

/** Everything below belongs to root and is closed to all others. Links are left as they are: the seal refuses them. */
export async function closeNextStage({ fs, paths }: Pick<Online, 'fs' | 'paths'>): Promise<void> {
  const user = process.getuid?.() ?? 0;
  const group = process.getgid?.() ?? 0;
  const close = async (path: string): Promise<void> => {
    const { kind, mode, uid, gid } = await fs.lstat(path);
    if (kind !== 'file' && kind !== 'folder') return;
    if (uid !== user || gid !== group) await fs.changeOwner(path, user, group);
    const closed = kind === 'folder' ? 0o700 : 0o600;
    if (mode !== closed) await fs.changeMode(path, closed);
    if (kind === 'folder')
      await Promise.all((await fs.readFolder(path)).map((name) => close(join(path, name))));
  };
  await close(paths.nextStage);
}

async function kindOf(fs: FileSystem, path: string): Promise<string | undefined> {
  return (await ifThere(fs.lstat(path)))?.kind;
}
