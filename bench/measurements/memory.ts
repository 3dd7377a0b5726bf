/** The most memory that the update service itself (Node.js, not apt) has held at once, told by the kernel at its end. */
import { packageCount } from '../bench-machines.js';
import type { Measurement } from '../measurement.js';
import { watchedMegabytes, watchServiceMemory } from '../service-memory.js';

const runs = 3;

export const memory: Measurement = {
  name: 'memory',
  about: 'the peak memory of the update service',
  async measure(bench) {
    const ours: number[] = [];
    while (ours.length < runs) {
      const megabytes = await bench.withMachine(await bench.armed(), async (machine) => {
        await watchServiceMemory(machine);
        await machine.boot();
        return watchedMegabytes(machine);
      });
      ours.push(megabytes);
    }
    return [
      {
        what: `peak memory of the update service, ${packageCount} packages`,
        unit: 'MB',
        ours,
        target: { most: 120 },
      },
    ];
  },
};
