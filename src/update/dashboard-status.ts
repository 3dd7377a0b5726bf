/**
 * `update-status.json` as Citadel's dashboard reads it: exactly `state`, `progress` (whole percent), `description` and
 * `updateTo` (what is being updated to; empty when nothing is). Written at each change, always in one step: a reader
 * never sees half a file, and a failure is never left standing as "installing".
 */
import type { FileSystem } from '../host/file-system.js';
import { replaceFile } from './replace-file.js';

export interface DashboardStatus {
  state: 'installing' | 'success' | 'failed';
  progress: number;
  description: string;
  updateTo: string;
}

/** Errors: the system's own. The folder must be there. */
export async function writeDashboardStatus(
  fs: FileSystem,
  path: string,
  status: DashboardStatus,
): Promise<void> {
  await replaceFile(fs, path, `${JSON.stringify(status)}\n`);
}
