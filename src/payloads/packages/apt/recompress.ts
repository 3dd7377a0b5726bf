/**
 * `packageCompression = "fast"`: half of what dpkg takes to install is to decompress xz, while the machine is away. So
 * that is done here, while it runs: each file that has been proven by the SHA-256 of the signed index is replaced in the
 * stage by one that holds the very same, compressed by `zstd -1`, or not at all where there is no zstd.
 *
 * As many at once as there are processors, at low priority. Nothing here fails but when it is no longer wanted: what cannot
 * be recompressed stays as it was signed, and the plan tells why. A file that is not as signed is left to the seal, which refuses it.
 */
import { join } from 'node:path';
import type { RunCommand } from '../../../host/command.js';
import type { FileSystem } from '../../../host/file-system.js';
import { sha256OfFile } from '../../../host/hash.js';
import type { LowPriorityPipe } from '../../../host/low-priority-pipe.js';
import { stageLayout } from '../../../update/paths.js';
import type { PackageChange, PackagesPlan, Recompressed } from '../../../update/plan.js';
import { wayBackBytes } from '../../../update/unpacked-bytes.js';
import type { Stage } from '../../payload.js';
import { aptEnvironment } from './apt-environment.js';
import { recompressFile, slowMember, type RecompressOutcome } from './recompress-file.js';
import { addRecompressed } from './recompressed-record.js';

export interface RecompressPorts {
  files: FileSystem;
  runCommand: RunCommand;
  pipe: LowPriorityPipe;
  freeSpace: (path: string) => Promise<{ bytes: number }>;
  processors: number;
}

export interface RecompressFacts {
  /** The hashes of the files that are known, by their path in the stage; those of the new files take their place. */
  known: Map<string, Promise<string>>;
  /** What the package index says (Installed-Size); undefined where it does not. */
  installedBytes: (change: PackageChange) => number | undefined;
  /** After each file. */
  on: (name: string) => void;
  /** Once it is given no file is begun any more, and it rejects when those that were begun have ended. */
  signal?: AbortSignal | undefined;
}

const MEBIBYTE = 1024 * 1024;
/** Headers and padding of tar, and an Installed-Size that was guessed. */
const limitOf = (installedBytes: number): number => 2 * installedBytes + 16 * MEBIBYTE;
/** Where the index does not say what a package unpacks to: no guess, but a limit. */
const MOST_UNPACKED_TO_PACKED = 10;
/** What the preflight asks for, so that this is never why an update cannot be armed, and as much for the rehearsal. */
const reserveBytes = ({ changes }: PackagesPlan): number => 2 * wayBackBytes(changes);

const noRoom = 'the disk has no room for it beside what the update needs';

/** Sets `recompressed` of each change whose file was replaced, and `notRecompressed` of the plan. */
export async function recompressPackages(
  ports: RecompressPorts,
  plan: PackagesPlan,
  stage: Stage,
  { known, installedBytes, on, signal }: RecompressFacts,
): Promise<void> {
  const queue = plan.changes
    .filter((change): change is FileChange => change.file !== null && !change.recompressed)
    .sort((a, b) => b.sizeBytes - a.sizeBytes);
  if (queue.length === 0) return;
  const [compression, room] = [
    await bestCompression(ports, plan),
    spareRoom(ports, stage, reserveBytes(plan)),
  ];
  const left = new Map<string, string[]>();
  const leave = (name: string, because: string): void =>
    void left.set(because, [...(left.get(because) ?? []), name]);

  const one = async (change: FileChange): Promise<RecompressOutcome | undefined> => {
    const path = join(stage.path, change.file);
    const signedSha256 = await (known.get(change.file) ?? sha256OfFile(path));
    known.set(change.file, Promise.resolve(signedSha256));
    if (signedSha256 !== change.sha256) return undefined;
    const member = await slowMember(path);
    if (!member) return undefined;
    const limitBytes = limitOf(installedBytes(change) ?? MOST_UNPACKED_TO_PACKED * change.sizeBytes);
    if (!(await room.take(limitBytes))) return { because: noRoom };
    const onDone = (made: Recompressed) =>
      addRecompressed(ports.files, stage, change.file, signedSha256, made);
    return recompressFile(ports, path, member, { compression, limitBytes, onDone, signal }).finally(() => {
      room.giveBack(limitBytes);
    });
  };
  const files = queue.values();
  const worker = async (): Promise<void> => {
    for (const change of files) {
      if (signal?.aborted) return;
      const outcome = await one(change).catch((error: unknown) => ({ because: String(error) }));
      if (outcome === undefined) continue;
      if ('because' in outcome) leave(change.name, outcome.because);
      else {
        change.recompressed = outcome.recompressed;
        known.set(change.file, Promise.resolve(outcome.recompressed.sha256));
        on(change.name);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, ports.processors) }, worker));
  signal?.throwIfAborted(); // why its files were left is nothing to tell of the packages
  if (left.size > 0)
    plan.notRecompressed = [...left].map(([because, packages]) => ({ because, packages: packages.sort() }));
}

type FileChange = PackageChange & { file: string };

/** Both the program that writes it and the dpkg that reads it must know zstd; every dpkg reads a plain archive. */
async function bestCompression(
  { runCommand }: RecompressPorts,
  plan: PackagesPlan,
): Promise<Recompressed['compression']> {
  // an older one may be unpacked first, and then have to read all the others
  if (plan.changes.some(({ name, action }) => name === 'dpkg' && action === 'downgrade')) return 'none';
  const answer = async (file: string, word: string): Promise<string> =>
    runCommand(file, [word], { env: aptEnvironment(), extendEnv: false }).then(
      ({ exitCode, stdout }) => (exitCode === 0 ? stdout : ''),
      () => '',
    );
  const [written, read] = await Promise.all([answer('zstd', '--version'), answer('dpkg-deb', '--help')]);
  return written !== '' && read.includes('zstd') ? 'zstd' : 'none';
}

/** What is free beyond the reserve, and not promised to a file that is being written. */
function spareRoom({ freeSpace }: Pick<RecompressPorts, 'freeSpace'>, { path }: Stage, reserve: number) {
  let promised = 0;
  return {
    async take(bytes: number): Promise<boolean> {
      const { bytes: free } = await freeSpace(join(path, stageLayout.packages));
      if (free - reserve - promised < bytes) return false;
      promised += bytes;
      return true;
    },
    giveBack(bytes: number): void {
      promised -= bytes;
    },
  };
}
