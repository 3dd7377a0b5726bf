/**
 * What a way back costs where the root has no snapshots: the time to save what the update replaces, against the install's
 * own time in the very same update boot. On a disk image of the file system, since an overlay copies where a disk links.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ImageMachine, type ImageOptions } from '../../test/laboratory/laboratory.js';
import { packageCount } from '../bench-machines.js';
import type { Bench, Measurement, Result } from '../measurement.js';

export const copy: Measurement = {
  name: 'copy',
  about: `the copy of what ${packageCount} packages replace`,
  async measure(bench) {
    const results: Result[] = [];
    for (const type of ['ext4', 'xfs'] as const) {
      const [saved, installed, committed]: [number[], number[], number[]] = [[], [], []];
      for (let run = 0; run < bench.runs; run += 1) {
        const seconds = await phasesOf(bench, type);
        saved.push(seconds['snapshot'] ?? NaN);
        installed.push(seconds['install'] ?? NaN);
        committed.push(seconds['commit'] ?? NaN);
        bench.say(
          `${type}, run ${run + 1}: saved in ${saved.at(-1) ?? ''} s, installed in ${installed.at(-1) ?? ''} s`,
        );
      }
      const what = `copy of what ${packageCount} packages replace, ${type}`;
      const peer = { name: 'the install itself', values: installed };
      results.push({ what, unit: 's', ours: saved, peer, target: { ratio: 0.5 } });
      results.push({ what: `– and the commit, ${type}`, unit: 's', ours: committed });
    }
    return results;
  },
};

/** Seconds by the name of the phase, as the service has written them down. */
async function phasesOf(
  bench: Bench,
  type: ImageOptions['type'],
): Promise<Record<string, number | undefined>> {
  const machine = await ImageMachine.make(await bench.armedWithCopy(), { type, storage: 'disk' });
  try {
    const record = await machine.boot();
    if (record.ended !== 'reboot') throw new Error(`the update boot ended with ${record.ended}`);
    const updates = machine.path('/var/lib/offline-update/updates');
    const [id = ''] = await readdir(updates);
    const text = await readFile(join(updates, id, 'journal.jsonl'), 'utf8');
    if (!text.includes('"provider":"copy"')) throw new Error(`there was no copy:\n${text}`);
    if (!text.includes('"event":"installed"')) throw new Error(`the update failed:\n${text}`);
    const rows = text
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { entry: { phase?: string; seconds?: number } }).entry);
    return Object.fromEntries(
      rows.flatMap(({ phase, seconds }) => (phase === undefined ? [] : [[phase, seconds]])),
    );
  } finally {
    await machine.dispose();
  }
}
