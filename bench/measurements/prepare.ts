/** `prepare` of a hundred packages, hashing, sealing and all, against the download alone by apt. */
import { packageCount } from '../bench-machines.js';
import { secondsOf } from '../in-machine.js';
import type { Bench, Measurement, Result } from '../measurement.js';

const ways = [
  {
    what: 'the lists as they are',
    ours: 'offline-update prepare --no-refresh',
    peer: 'apt-get --download-only --yes upgrade',
    target: { ratio: 1.25 },
  },
  {
    what: 'with the refresh of the lists',
    ours: 'offline-update prepare',
    peer: 'apt-get update && apt-get --download-only --yes upgrade',
  },
] as const;

export const prepare: Measurement = {
  name: 'prepare',
  about: `prepare of ${packageCount} packages from a local repository`,
  measure: async (bench) => [...(await compare(bench, ways[0])), ...(await compare(bench, ways[1]))],
};

async function compare(bench: Bench, way: (typeof ways)[number]): Promise<Result[]> {
  return bench.withMachine(await bench.installed(), async (machine) => {
    await machine.start();
    const once = async (line: string): Promise<number> => {
      // each run downloads everything anew
      await machine.exec('apt-get clean; offline-update clean >/dev/null 2>&1; sync', { check: false });
      return secondsOf(machine, line);
    };
    for (const line of [way.ours, way.peer]) await once(line); // warm
    const [ours, peer]: [number[], number[]] = [[], []];
    for (let run = 0; run < bench.runs; run += 1) {
      ours.push(await once(way.ours));
      peer.push(await once(way.peer));
    }
    return [
      {
        what: `prepare, ${packageCount} packages, ${way.what}`,
        unit: 's',
        ours,
        peer: { name: `\`${way.peer}\``, values: peer },
        ...('target' in way && { target: way.target }),
      },
    ];
  });
}
