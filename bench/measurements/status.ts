/** `status`, warm: with nothing to tell, and with an update prepared, whose drift it looks for. */
import type { Layer } from '../../test/laboratory/laboratory.js';
import { hyperfine } from '../in-machine.js';
import type { Bench, Measurement, Result } from '../measurement.js';

export const status: Measurement = {
  name: 'status',
  about: 'the answer of offline-update status',
  measure: async (bench) => [
    await answer(bench, await bench.installed(), 'nothing prepared'),
    await answer(bench, await bench.prepared(), 'an update prepared'),
  ],
};

async function answer(bench: Bench, layer: Layer, what: string): Promise<Result> {
  return bench.withMachine(layer, async (machine) => {
    await machine.start();
    const lines = ['/usr/bin/offline-update status', '/usr/bin/node --eval 0'];
    const [ours = [], node = []] = await hyperfine(machine, lines, { runs: 10, rounds: 3 });
    return {
      what: `\`status\`, ${what}`,
      unit: 'ms',
      ours,
      peer: { name: 'start of Node.js alone', values: node },
      target: { most: 120 },
    };
  });
}
