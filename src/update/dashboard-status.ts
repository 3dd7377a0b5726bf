/**
 * `update-status.json` as Citadel's dashboard reads it: exactly `state`, `progress` (whole percent), `description` and
 * `updateTo` (what is being updated to; empty when nothing is). Written at each change, always in one step: a reader
 * never sees half a file, and a failure is never left standing as "installing".
 */
import { dirname, join } from 'node:path';
import type { FileSystem } from '../host/file-system.js';

export interface DashboardStatus {
  state: 'installing' | 'success' | 'failed';
  progress: number;
  description: string;
  updateTo: string;
}

let serial = 0;

/** Errors: the system's own. The folder must be there. */
export async function writeDashboardStatus(
  fs: FileSystem,
  path: string,
  status: DashboardStatus,
): Promise<void> {
  const next = join(dirname(path), `.update-status.${process.pid}.${(serial += 1)}`);
  await fs.createFile(next, `${JSON.stringify(status)}\n`, 0o644);
  await fs.rename(next, path);
}
