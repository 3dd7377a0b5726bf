/**
 * Brings every file of a plan into the stage, and freezes the lists for the update boot.
 *
 * What lies there with the right hash is not fetched again, nor is what was recompressed out of it (recompress.ts), if the
 * policy still says so; apt goes on with the half files in `packages/partial`. Nothing is made durable here.
 *
 * Errors: `DOWNLOAD_FAILED` with apt's words, also when interrupted; `HASH_MISMATCH`; `BUSY`; `PLAN_FAILED` when apt
 * would now do something else.
 */
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { freeSpace } from '../../../host/disk-space.js';
import { hashingInTurn, sha256OfFile, sha256OfFiles } from '../../../host/hash.js';
import type { FileSystem } from '../../../host/file-system.js';
import { namesIn } from '../../../host/if-there.js';
import { lowPriorityPipe } from '../../../host/low-priority-pipe.js';
import { UpdateError } from '../../../update/errors.js';
import { stageLayout } from '../../../update/paths.js';
import type { PackageChange, PackagesPlan } from '../../../update/plan.js';
import type { KnownHashes, Progress, Stage } from '../../payload.js';
import { settingsAsDecided } from './as-decided.js';
import { decisionInputs } from './decision-inputs.js';
import { downloadPackages } from './apt-download.js';
import { inShort, planDifferences } from './apt-simulate.js';
import { downloadProgress, type DownloadProgress } from './download-progress.js';
import { installedSizes, stanzasFromIndex, writeFrozenLists } from './frozen-lists.js';
import { copyLocalFile, localPath } from './local-source.js';
import type { PlanContext, PlanningPorts } from './planning.js';
import { keepRecompressed, readRecompressed, type RecompressedRecord } from './recompressed-record.js';
import { recompressPackages, type RecompressPorts } from './recompress.js';
import { standIn, takeBack } from './stand-ins.js';

/** A change with a file. */
type FileChange = PackageChange & { file: string; to: string };

export async function fetchPlan(
  ports: PlanningPorts,
  { policy, uris, stanzas }: PlanContext,
  plan: PackagesPlan,
  stage: Stage,
  on: Progress,
  signal?: AbortSignal,
): Promise<KnownHashes> {
  const { files } = ports;
  await files.makeFolder(join(stage.path, stageLayout.packages), 0o755);
  const wanted = plan.changes.filter((change): change is FileChange => change.file !== null);
  const known = new Map<string, Promise<string>>();
  const isFast = policy.packageCompression === 'fast';
  await takeBack(ports, stage);
  const record = isFast ? await readRecompressed(files, stage) : nothingRecompressed;
  const missing = await missingFiles(files, wanted, stage, known, record);
  const bytesMissing = sum(missing);
  const progress = downloadProgress(sum(wanted), sum(wanted) - bytesMissing);
  // apt is asked while the files come
  const [index, asDecided, brought] = await Promise.allSettled([
    stanzas ?? stanzasFromIndex(ports, plan),
    settingsAsDecided(ports),
    bring(ports, { policy, uris }, plan, missing, stage, known, progress, on, signal),
  ]);
  if (brought.status === 'rejected') throw brought.reason;
  if (index.status === 'rejected') throw index.reason;
  if (asDecided.status === 'rejected') throw asDecided.reason;
  await fillHashes(wanted, stage, known);
  if (isFast) {
    await recompressPackages(recompressPorts(ports), plan, stage, {
      known,
      installedBytes: installedSizes(index.value),
      signal,
      on: (name) => {
        on({ ...progress.add(0, `Recompressed ${name}`), item: name });
      },
    });
  }
  await keepRecompressed(files, stage, plan.changes);
  const frozen = { stanzas: index.value, asDecided: asDecided.value, policy };
  await writeFrozenLists(ports, plan, stage, frozen);
  return known;
}

/** apt itself must find, from the frozen lists alone, exactly the plan; it looks for each file, and at its size. */
export async function agreeToPlan(
  ports: PlanningPorts,
  { inputs }: PlanContext,
  plan: PackagesPlan,
  stage: Stage,
): Promise<void> {
  const differing = await planDifferences(ports, plan, stage);
  if (differing.length === 0) {
    const same = inputs !== undefined && inputs === (await decisionInputs(ports.files, ports.root));
    if (same) plan.decidedBy = inputs;
    return;
  }
  throw new UpdateError('PLAN_FAILED', `apt does not agree with the plan: ${inShort(differing)}`, {
    hint: 'offline-update prepare',
  });
}

async function bring(
  ports: PlanningPorts,
  { policy, uris }: Pick<PlanContext, 'policy' | 'uris'>,
  plan: PackagesPlan,
  missing: readonly FileChange[],
  stage: Stage,
  known: Map<string, Promise<string>>,
  progress: DownloadProgress,
  on: Progress,
  signal: AbortSignal | undefined,
): Promise<void> {
  const local = missing.flatMap((change) => {
    const source = localPath(uris.get(change.file) ?? '');
    return source === undefined ? [] : [{ ...change, source }];
  });
  const queue = local.values();
  const sha256Of = hashingInTurn();
  let isFailed = false;
  const copy = async ({ name, file, sizeBytes, source }: (typeof local)[number]): Promise<void> => {
    try {
      signal?.throwIfAborted();
      const path = join(stage.path, file);
      await copyLocalFile(ports.files, source, path);
      known.set(file, sha256Of(path)); // while the next ones are copied, and apt looks at the plan
      on({ ...progress.add(sizeBytes, `Copied ${name}`), item: name });
    } catch (error) {
      isFailed = true;
      throw error;
    }
  };
  const worker = async (): Promise<void> => {
    for (const one of queue) {
      if (isFailed) return;
      await copy(one);
    }
  };
  // whoever hears of an error lets the lock go: nothing may be at work on the stage any more
  const ends = await Promise.allSettled(Array.from({ length: copiesAtOnce }, worker));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  if (local.length === missing.length) return;
  await standIn(ports, stage, plan.changes);
  await downloadPackages(ports, plan, stage, policy, progress, on, signal).finally(() =>
    takeBack(ports, stage),
  );
}

/** Half of libuv's threads: what is copied wants to be read, too. */
const copiesAtOnce = 2;

/** Drops what has the right name and the wrong content: apt would look at its size only. */
async function missingFiles(
  files: FileSystem,
  wanted: readonly FileChange[],
  stage: Stage,
  known: Map<string, Promise<string>>,
  record: RecompressedRecord,
): Promise<FileChange[]> {
  const names = new Set(await namesIn(files, join(stage.path, stageLayout.packages)));
  const there: FileChange[] = [];
  for (const change of wanted) {
    if (!names.has(basename(change.file))) continue;
    const path = join(stage.path, change.file);
    const { kind, size } = await files.lstat(path);
    const sizes = [change.sizeBytes, ...record.sizes(change.file)];
    if (kind === 'file' && sizes.includes(size)) there.push(change);
    else await files.removeTree(path);
  }
  const hashes = await sha256OfFiles(there.map(({ file }) => join(stage.path, file)));
  const good = new Set<FileChange>();
  for (const change of there) {
    const path = join(stage.path, change.file);
    const found = hashes.get(path);
    const recompressed = record.find(change, found);
    if (recompressed) change.recompressed = recompressed;
    if (found !== undefined && (recompressed || found === change.sha256)) {
      good.add(change);
      known.set(change.file, Promise.resolve(found));
    } else await files.removeTree(path);
  }
  return wanted.filter((change) => !good.has(change));
}

/** With "keep" nothing counts as recompressed: what is there in another size is downloaded as it was signed. */
const nothingRecompressed: RecompressedRecord = { sizes: () => [], find: () => undefined };

function recompressPorts({ files, runCommand }: PlanningPorts): RecompressPorts {
  return { files, runCommand, pipe: lowPriorityPipe, freeSpace, processors: availableParallelism() };
}

/** An index without hashes that the policy allowed: the file as it came is what gets sealed. */
async function fillHashes(wanted: readonly FileChange[], stage: Stage, known: KnownHashes): Promise<void> {
  for (const change of wanted) {
    change.sha256 ??= await (known.get(change.file) ?? sha256OfFile(join(stage.path, change.file)));
  }
}

function sum(changes: readonly FileChange[]): number {
  return changes.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
}
