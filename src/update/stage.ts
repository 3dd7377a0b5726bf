/**
 * The seal of a stage (invariant 7): every file's SHA-256 stands in the plan, the plan's own in the journal.
 * `sealStage` makes it, `verifyStage` proves it just before the first change. Whatever is not exactly as sealed is
 * refused with a code of its own; nothing is repaired.
 */
import { join } from 'node:path';
import type { Entry, FileSystem } from '../host/file-system.js';
import { sha256OfFiles } from '../host/hash.js';
import { isErrno } from '../host/host-error.js';
import { UpdateError, type UpdateErrorCode } from './errors.js';
import { stageLayout } from './paths.js';
import { parsePlan, planHash, readPlanId, type Plan, type StagedFile } from './plan.js';

/** What apt itself leaves in a stage that it works on, always empty. */
const tolerated = new Set([
  'packages/lock',
  'packages/partial',
  'lists/lock',
  'lists/partial',
  'lists/auxfiles',
]);

const PARALLEL_HASHES = 4;

interface Found {
  path: string;
  entry: Entry;
}

/**
 * Hashes every file below `stage`, for the plan; but for those that whoever has just written them knows (or is still
 * counting), by their path in the stage. Errors: as `verifyStage` for links and odd files.
 */
export async function sealStage(
  fs: FileSystem,
  stage: string,
  known: ReadonlyMap<string, string | Promise<string>> = new Map(),
): Promise<StagedFile[]> {
  const found = await walk(fs, stage);
  const unknown = found.filter(({ path }) => !known.has(path));
  const hashes = await hashesOf(fs, stage, unknown);
  const sealed: StagedFile[] = [];
  for (const { path, entry } of found) {
    const sha256 = (await known.get(path)) ?? hashes.get(join(stage, path)) ?? unhashed(path);
    sealed.push({ path, sizeBytes: entry.size, sha256 });
  }
  return sealed;
}

/** The plan of a stage that is untouched since it was sealed. Errors: `STAGE_*`, `PLAN_*`, `FORMAT_TOO_NEW`. */
export async function verifyStage(fs: FileSystem, stage: string, expectedPlanHash: string): Promise<Plan> {
  await checkFolder(fs, stage);
  const found = await walk(fs, stage);
  const plan = await readSealedPlan(fs, stage, expectedPlanHash);
  const there = new Map(found.map(({ path, entry }) => [path, entry]));
  const planned = new Set(plan.files.map(({ path }) => path));
  for (const { path } of found) {
    if (!planned.has(path)) refuse('STAGE_UNEXPECTED_FILE', `${path} is in the stage and not in the plan`);
  }
  for (const file of plan.files) {
    const entry = there.get(file.path);
    if (!entry) refuse('STAGE_FILE_MISSING', `${file.path} is missing from the stage`);
    else if (entry.size !== file.sizeBytes) await refuseContent(fs, stage, file, entry.size, plan);
  }
  const hashes = await hashesOf(fs, stage, plan.files);
  for (const file of plan.files) {
    if (hashes.get(join(stage, file.path)) !== file.sha256)
      await refuseContent(fs, stage, file, file.sizeBytes, plan);
  }
  return plan;
}

function hashesOf(
  fs: FileSystem,
  stage: string,
  files: readonly { path: string }[],
): Promise<Map<string, string>> {
  const paths = files.map(({ path }) => join(stage, path));
  return sha256OfFiles(paths, PARALLEL_HASHES, (path) => fs.sha256(path));
}

/** Which plan is staged, for verbs that tell and do not install; undefined when none is. Errors: as `readPlanId`. */
export async function readStaged(
  fs: FileSystem,
  stage: string,
): Promise<{ id: string; hash: string; text: string } | undefined> {
  try {
    const text = await fs.readFile(join(stage, stageLayout.plan));
    return { id: readPlanId(text), hash: planHash(text), text };
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

async function readSealedPlan(fs: FileSystem, stage: string, expected: string): Promise<Plan> {
  let text: string;
  try {
    text = await fs.readFile(join(stage, stageLayout.plan));
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    refuse('PLAN_MISSING', `${stage} holds no plan`);
  }
  if (planHash(text) !== expected) refuse('PLAN_TAMPERED', 'the plan is not the one that was armed');
  return parsePlan(text);
}

async function checkFolder(fs: FileSystem, stage: string): Promise<void> {
  let entry: Entry;
  try {
    entry = await fs.lstat(stage);
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error;
    refuse('STAGE_MISSING', `${stage} is not there`);
  }
  if (entry.kind === 'symlink') refuse('STAGE_SYMLINK', `${stage} is a symbolic link`);
  if (entry.kind !== 'folder') refuse('STAGE_NOT_A_FILE', `${stage} is not a folder`);
  checkOwner(stage, entry);
  if ((entry.mode & 0o077) !== 0) {
    refuse(
      'STAGE_MODE',
      `${stage} has mode ${entry.mode.toString(8)}, it must be closed to all but root (700)`,
    );
  }
}

/** Every file below the stage but the plan, in byte order of the paths; refuses what may not be there at all. */
async function walk(fs: FileSystem, stage: string, below = ''): Promise<Found[]> {
  const found: Found[] = [];
  const names = await fs.readFolder(join(stage, below));
  const paths = names.map((name) => (below === '' ? name : `${below}/${name}`));
  const entries = await Promise.all(paths.map((path) => fs.lstat(join(stage, path))));
  for (const [index, entry] of entries.entries()) {
    const path = paths[index] ?? '';
    if (entry.kind === 'symlink') refuse('STAGE_SYMLINK', `${path} is a symbolic link`);
    if (entry.kind === 'other') refuse('STAGE_NOT_A_FILE', `${path} is neither a file nor a folder`);
    if (!tolerated.has(path)) checkOwner(path, entry);
    if ((entry.mode & 0o022) !== 0)
      refuse('STAGE_WORLD_WRITABLE', `${path} can be written by others than root`);
    if (entry.kind === 'folder') found.push(...(await walk(fs, stage, path)));
    else if (path !== stageLayout.plan && !(tolerated.has(path) && entry.size === 0))
      found.push({ path, entry });
  }
  return found;
}

function checkOwner(path: string, entry: Entry): void {
  if (entry.uid !== process.getuid?.())
    refuse('STAGE_OWNER', `${path} belongs to user ${entry.uid}, not to root`);
}

/** Tells a file that was exchanged with another one of the plan from one that was cut or changed. */
async function refuseContent(
  fs: FileSystem,
  stage: string,
  file: StagedFile,
  size: number,
  plan: Plan,
): Promise<never> {
  const actual = await fs.sha256(join(stage, file.path));
  const other = plan.files.find(({ sha256 }) => sha256 === actual);
  if (other) refuse('STAGE_SWAPPED', `${file.path} holds the content of ${other.path}`);
  if (size < file.sizeBytes) {
    refuse('STAGE_TRUNCATED', `${file.path} has ${size} bytes, the plan says ${file.sizeBytes}`);
  }
  refuse('STAGE_TAMPERED', `the content of ${file.path} is not what was sealed`);
}

function refuse(code: UpdateErrorCode, message: string): never {
  throw new UpdateError(code, message, { hint: 'offline-update prepare' });
}

function unhashed(path: string): never {
  throw new UpdateError('INTERNAL', `${path} was not hashed`);
}
