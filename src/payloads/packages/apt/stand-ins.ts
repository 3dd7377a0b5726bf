/**
 * apt downloads what is not there in its size: a recompressed file would come a second time. While apt downloads others, a file
 * of that size without content, a hole that takes no room, stands in its place, and the file itself lies beside it.
 *
 * A hole that is left by a kill is found by its content, as any file that is not as signed, and never sealed.
 */
import { join } from 'node:path';
import type { RunCommand } from '../../../host/command.js';
import type { FileSystem } from '../../../host/file-system.js';
import { namesIn } from '../../../host/if-there.js';
import { stageLayout } from '../../../update/paths.js';
import type { PackageChange } from '../../../update/plan.js';
import type { Stage } from '../../payload.js';

const ASIDE = '.aside';

interface StandInPorts {
  files: FileSystem;
  runCommand: RunCommand;
}

/** For the recompressed ones among the changes. Where there can be no hole, apt downloads the file once more. */
export async function standIn(
  { files, runCommand }: StandInPorts,
  stage: Stage,
  changes: readonly PackageChange[],
): Promise<void> {
  for (const { file, sizeBytes, recompressed } of changes) {
    if (!recompressed || file === null) continue;
    const path = join(stage.path, file);
    await files.rename(path, `${path}${ASIDE}`);
    await runCommand('truncate', ['--size', String(sizeBytes), '--', path]);
  }
}

/** Also what a run that was killed has put aside. */
export async function takeBack({ files }: Pick<StandInPorts, 'files'>, stage: Stage): Promise<void> {
  const folder = join(stage.path, stageLayout.packages);
  for (const name of await namesIn(files, folder)) {
    if (!name.endsWith(ASIDE)) continue;
    await files.rename(join(folder, name), join(folder, name.slice(0, -ASIDE.length)));
  }
}
