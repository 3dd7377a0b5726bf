/**
 * The files of a plugin's request: copied into the stage (blocks shared where that works), then checked there, where
 * nobody else can change them: the hash, and whether the package is what the request calls it.
 *
 * Errors: `REQUEST_INVALID` for a missing file, a wrong size, another package than claimed; `HASH_MISMATCH` naming the
 * file.
 */
import { join, resolve } from 'node:path';
import type { RunCommand } from '../../../host/command.js';
import type { FileSystem } from '../../../host/file-system.js';
import { sha256OfFiles } from '../../../host/hash.js';
import { isErrno } from '../../../host/host-error.js';
import { UpdateError } from '../../../update/errors.js';
import { stageLayout } from '../../../update/paths.js';
import type { Stage } from '../../payload.js';
import { archiveFileName } from './archive-file.js';
import { field, type Stanza } from './control-stanzas.js';
import { controlsOf } from './deb-file.js';
import { copyLocalFile } from './local-source.js';
import type { PluginPackage, PluginRequest } from './plugin-schema.js';
import type { Download } from './print-uris.js';

export interface PluginFiles {
  /** By the name in the stage's packages folder. */
  downloads: Map<string, Download>;
  /** The packages' own control data. */
  stanzas: Stanza[];
}

export async function takePluginFiles(
  { files, runCommand }: { files: FileSystem; runCommand: RunCommand },
  request: PluginRequest,
  stage: Stage,
): Promise<PluginFiles> {
  const folder = join(stage.path, stageLayout.packages);
  await files.makeFolder(folder, 0o755);
  const taken = request.packages.map((one) => ({
    ...one,
    source: resolve(request.folder, one.file ?? archiveFileName(one)),
    path: join(folder, archiveFileName(one)),
  }));
  for (const one of taken) await take(files, one);

  const paths = taken.map(({ path }) => path);
  const hashes = await sha256OfFiles(paths);
  for (const { path, source, sha256 } of taken) {
    if (hashes.get(path) === sha256) continue;
    await files.removeTree(path);
    throw new UpdateError(
      'HASH_MISMATCH',
      `${source} has SHA-256 ${hashes.get(path) ?? ''}, the request says ${sha256}`,
    );
  }
  const stanzas = await controlsOf(runCommand, paths);
  const downloads = new Map<string, Download>();
  for (const [at, one] of taken.entries()) {
    checkClaims(one, one.source, stanzas[at] ?? []);
    const { size } = await files.lstat(one.path);
    if (one.sizeBytes !== undefined && one.sizeBytes !== size) {
      throw invalid(`${one.source} has ${size} bytes, the request says ${one.sizeBytes}`);
    }
    downloads.set(archiveFileName(one), { uri: `file:${one.source}`, sizeBytes: size, sha256: one.sha256 });
  }
  return { downloads, stanzas };
}

async function take(
  files: FileSystem,
  { source, path, name }: { source: string; path: string; name: string },
) {
  await files.removeTree(path);
  try {
    await copyLocalFile(files, source, path);
  } catch (error) {
    if (error instanceof UpdateError) throw invalid(`the file of ${name}: ${error.message}`, error);
    if (isErrno(error, 'ENXIO', 'ELOOP', 'EINVAL')) throw invalid(`${source} is no file`, error);
    throw error;
  }
}

function checkClaims(claimed: PluginPackage, source: string, control: Stanza): void {
  const pairs = [
    ['Package', claimed.name],
    ['Version', claimed.version],
    ['Architecture', claimed.architecture],
  ] as const;
  for (const [name, claim] of pairs) {
    const found = field(control, name) ?? '';
    if (found !== claim) {
      throw invalid(`${source} is of ${name.toLowerCase()} "${found}", the request says "${claim}"`);
    }
  }
}

function invalid(message: string, cause?: unknown): UpdateError {
  return new UpdateError('REQUEST_INVALID', message, { cause });
}
