/**
 * Fills the folder of a copy (docs/copy.md), by a few processes however many files there are. It is whole and on the
 * disk when `save` resolves, and means nothing yet: only the link that arms it does.
 *
 * In the folder: `tree/`, the saved files under their paths; lists for the shell, relative to the root: `names` (of
 * walkedFolders, NUL-separated, sorted), `whole`, `mounted`, `walked`, `absent` (lines); `mark`, a fallback mark; `restore`, the
 * script as of now, since an update may replace our own; `sums`, SHA-256 of lists and script; `reserve`, space.
 *
 * Errors: `SNAPSHOT_FAILED` with what the program said.
 */
import { join } from 'node:path';
import type { RunCommand } from '../../host/command.js';
import type { DurableFiles } from '../../host/durable-files.js';
import { exists } from '../../host/exists.js';
import type { FileSystem } from '../../host/file-system.js';
import { UpdateError } from '../../update/errors.js';
import { markText, type NewMark } from '../../update/fallback-mark.js';
import type { Paths } from '../../update/paths.js';
import { generatedFiles, neverSaved } from './scope.js';
import type { Selection } from './selection.js';

export interface SavePorts {
  paths: Paths;
  fs: FileSystem;
  files: DurableFiles;
  run: RunCommand;
}

/** `choose` says what is to be saved, for a copy on this device. `mark` tells the boot after it is put back; or none. */
export async function save(
  ports: SavePorts,
  folder: string,
  mark: NewMark | undefined,
  choose: (device: number) => Promise<Selection>,
): Promise<void> {
  const { fs, files } = ports;
  const tree = join(folder, 'tree');
  // Of an attempt that was cut before the link: nothing ever relied on it.
  await files.removeTree(folder);
  // Holds what others may not read in its own place.
  await files.makeFolder(tree, 0o700);
  const selection = await choose((await fs.lstat(tree)).device);
  const shares = await sharesBlocks(ports, folder);
  // Neither is at work any more when the other has failed: the folder is removed then.
  const both = [copyAll(ports, folder, selection, shares), writeLists(ports, folder, mark, selection)];
  await Promise.allSettled(both);
  await Promise.all(both);
  await nameAll(ports, folder, selection.walked);
  await makeEmptyFolders(ports, tree, selection.folders);
  for (const path of neverSaved) await fs.removeTree(join(tree, path));
  await sum(ports, folder);
  await reserve(ports, folder);
  await fs.syncFileSystem(folder);
}

/** Whether the file system can copy without copying (reflink), which is safer than a hard link and costs the same. */
async function sharesBlocks({ fs, run }: SavePorts, folder: string): Promise<boolean> {
  await fs.createFile(join(folder, 'probe'), 'x'.repeat(65536), 0o600);
  const { exitCode } = await run('cp', ['--reflink=always', 'probe', 'probe.shared'], { cwd: folder });
  for (const name of ['probe', 'probe.shared']) await fs.removeTree(join(folder, name));
  return exitCode === 0;
}

const copying = ['--archive', '--one-file-system', '--parents', '--remove-destination', '--reflink=auto'];
const linking = ['--archive', '--one-file-system', '--parents', '--link'];

async function copyAll(
  ports: SavePorts,
  folder: string,
  selection: Selection,
  shares: boolean,
): Promise<void> {
  const { linked, copied } = selection;
  await bring(ports, folder, 'copied', shares ? [...copied, ...linked] : copied, copying);
  if (!shares) await bring(ports, folder, 'linked', linked, linking);
}

/** The list goes by a file: a command line is too short for it. */
async function bring(
  { fs, run, paths }: SavePorts,
  folder: string,
  list: string,
  items: readonly string[],
  how: readonly string[],
): Promise<void> {
  if (items.length === 0) return;
  await fs.createFile(join(folder, list), items.map((item) => `${item}\0`).join(''), 0o600);
  const words = ['cp', ...how, '--target-directory', join(folder, 'tree'), '--'];
  await must(run, 'xargs', ['--null', `--arg-file=${join(folder, list)}`, ...words], paths.root);
}

/** All names in the walked folders, and the files there that belong to no package. */
async function nameAll(
  { fs, run, paths }: SavePorts,
  folder: string,
  walked: readonly string[],
): Promise<void> {
  const [names, generated] = [join(folder, 'names'), join(folder, 'generated')];
  const tests = generatedFiles.flatMap((test, index) => (index === 0 ? test : ['-o', ...test]));
  const both = ['-fprint0', names, '(', ...tests, ')', '-fprint0', generated];
  for (const path of [names, generated]) await fs.createFile(path, '', 0o600);
  if (walked.length > 0) await must(run, 'find', [...walked, '-xdev', ...both], paths.root);
  await must(run, 'sort', ['--zero-terminated', '--output', names, names], paths.root);
  const words = ['cp', ...copying, '--target-directory', join(folder, 'tree'), '--'];
  const once = ['--null', '--no-run-if-empty', `--arg-file=${generated}`];
  await must(run, 'xargs', [...once, ...words], paths.root);
}

/** A folder that a package owns and nothing saved lies in. */
async function makeEmptyFolders(
  { fs, paths }: SavePorts,
  tree: string,
  folders: readonly string[],
): Promise<void> {
  for (const path of [...folders].sort()) {
    if (await exists(fs, join(tree, path))) continue;
    const { mode, uid, gid } = await fs.lstat(join(paths.root, path));
    await fs.makeFolder(join(tree, path), mode);
    await fs.changeOwner(join(tree, path), uid, gid);
  }
}

async function writeLists(
  { fs, paths }: SavePorts,
  folder: string,
  mark: NewMark | undefined,
  { whole, mounted, walked, absent }: Selection,
): Promise<void> {
  const lines = (items: readonly string[]): string => items.map((item) => `${item}\n`).join('');
  for (const [name, items] of Object.entries({ whole, mounted, walked, absent })) {
    await fs.createFile(join(folder, name), lines(items), 0o600);
  }
  if (mark) await fs.createFile(join(folder, 'mark'), markText(mark), 0o644);
  await fs.copyFile(join(paths.library, 'restore'), join(folder, 'restore'));
}

/** For the record beside the lists, and for folders that grow. */
const LEAST_RESERVE_BYTES = 1024 * 1024;
/** The script makes some lists as long as that of the names. */
const LISTS = 4;

/** The disk may be full by then, which is why the update has failed: units/restore begins by giving this space back. */
async function reserve({ fs, run }: SavePorts, folder: string): Promise<void> {
  const bytes = LEAST_RESERVE_BYTES + LISTS * (await fs.lstat(join(folder, 'names'))).size;
  const args = ['--length', String(bytes), 'reserve'];
  const { exitCode, stderr } = await run('fallocate', args, { cwd: folder, env: { LC_ALL: 'C' } });
  if (exitCode === 0) return;
  // Left empty, it does not stand in the way.
  if (/not supported/i.test(stderr)) return;
  throw new UpdateError('SNAPSHOT_FAILED', stderr.trim().slice(-2000));
}

const summed = ['names', 'whole', 'mounted', 'walked', 'absent', 'restore'];

async function sum({ fs, run }: SavePorts, folder: string): Promise<void> {
  const sums = await must(run, 'sha256sum', summed, folder);
  await fs.createFile(join(folder, 'sums'), `${sums}\n`, 0o600);
}

/** Standard output. Errors: `SNAPSHOT_FAILED`. */
export async function must(
  run: RunCommand,
  file: string,
  args: readonly string[],
  cwd: string,
): Promise<string> {
  const { exitCode, stdout, stderr } = await run(file, args, { cwd, env: { LC_ALL: 'C' } });
  if (exitCode === 0) return stdout;
  throw new UpdateError(
    'SNAPSHOT_FAILED',
    `${file} ${args.slice(0, 3).join(' ')}: ${stderr.trim().slice(-2000)}`,
  );
}
