/**
 * Which files of a stage are recompressed, and from which signed ones: a row for each, written before the file takes its
 * place. It is sealed with the stage, so that neither an interrupted `prepare` nor a later one downloads them again.
 *
 * Nothing is made durable here: a row is believed only of a file that has its SHA-256, and a row that cannot be read is none.
 */
import { join } from 'node:path';
import * as z from 'zod/mini';
import type { FileSystem } from '../../../host/file-system.js';
import { textOf } from '../../../host/if-there.js';
import { stageLayout } from '../../../update/paths.js';
import { recompressedSchema, type PackageChange, type Recompressed } from '../../../update/plan.js';
import type { Stage } from '../../payload.js';

type Files = Pick<FileSystem, 'readFile' | 'appendFile' | 'createFile' | 'removeTree' | 'rename'>;

const rowSchema = z.strictObject({
  file: z.string(),
  /** Of the file that the package index names. */
  signedSha256: z.string(),
  recompressed: recompressedSchema,
});
type Row = z.infer<typeof rowSchema>;

export interface RecompressedRecord {
  /** The sizes that a file may have. */
  sizes(file: string): number[];
  /** Undefined unless this content was made of the signed file of the change. */
  find(change: Pick<PackageChange, 'file' | 'sha256'>, sha256: string | undefined): Recompressed | undefined;
}

export async function readRecompressed(files: Files, stage: Stage): Promise<RecompressedRecord> {
  const text = await textOf(files, pathIn(stage));
  const rows = text.split('\n').flatMap(parseRow);
  const byFile = new Map<string, Row[]>();
  for (const row of rows) byFile.set(row.file, [...(byFile.get(row.file) ?? []), row]);
  const rowsOf = (file: string | null): Row[] => byFile.get(file ?? '') ?? [];
  return {
    sizes: (file) => rowsOf(file).map(({ recompressed }) => recompressed.sizeBytes),
    find: (change, sha256) =>
      rowsOf(change.file).find(
        (row) => row.signedSha256 === change.sha256 && row.recompressed.sha256 === sha256,
      )?.recompressed,
  };
}

export async function addRecompressed(
  files: Files,
  stage: Stage,
  file: string,
  signedSha256: string,
  recompressed: Recompressed,
): Promise<void> {
  await files.appendFile(pathIn(stage), rowText({ file, signedSha256, recompressed }));
}

/** Of an earlier plan nothing is left; without any recompressed file there is no record. */
export async function keepRecompressed(
  files: Files,
  stage: Stage,
  changes: readonly PackageChange[],
): Promise<void> {
  const path = pathIn(stage);
  const rows = changes.flatMap(({ file, sha256, recompressed }) =>
    recompressed && file !== null && sha256 !== null ? [{ file, signedSha256: sha256, recompressed }] : [],
  );
  await files.removeTree(`${path}.new`);
  if (rows.length === 0) {
    await files.removeTree(path);
    return;
  }
  await files.createFile(`${path}.new`, rows.map(rowText).join(''), 0o600);
  await files.rename(`${path}.new`, path);
}

function pathIn(stage: Stage): string {
  return join(stage.path, stageLayout.recompressed);
}

function rowText(row: Row): string {
  return `${JSON.stringify(row)}\n`;
}

/** A line that was cut, by a kill or by the power, has no effect. */
function parseRow(line: string): Row[] {
  try {
    return [rowSchema.parse(JSON.parse(line))];
  } catch {
    return [];
  }
}
