/** What the update service itself told of its phases, in seconds. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RootFiles } from '../test/laboratory/laboratory.js';

interface Row {
  entry: { note?: string; phase?: string; seconds?: number; event?: string };
}

/** Of the one update that the machine knows. Throws when it did not come to `wanted`. */
export async function phasesOf(
  machine: RootFiles,
  wanted: 'installed' | 'refused' = 'installed',
): Promise<Record<string, number>> {
  const updates = machine.path('/var/lib/offline-update/updates');
  const [id = ''] = await readdir(updates);
  const text = await readFile(join(updates, id, 'journal.jsonl'), 'utf8');
  const entries = text
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as Row).entry);
  if (!entries.some(({ event }) => event === wanted)) throw new Error(`it was not ${wanted}:\n${text}`);
  const phases: Record<string, number> = {};
  for (const { note, phase, seconds } of entries) {
    if (note === 'phase' && phase !== undefined) phases[phase] = seconds ?? NaN;
  }
  return phases;
}

/** Of the package manager, with the verification, the final sync and the switch of the roots. */
export async function installSecondsOf(machine: RootFiles): Promise<number> {
  const { install = NaN, verify = NaN, commit = NaN } = await phasesOf(machine);
  return install + verify + commit;
}
