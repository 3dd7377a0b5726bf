/** The most memory that the update service itself (Node.js, not apt) has held at once, told by the kernel at its end. */
import { packageCount } from '../bench-machines.js';
import type { Measurement } from '../measurement.js';

const told = '/var/lib/bench-memory';
const hook = '/usr/lib/bench-memory.cjs';
const runs = 3;

export const memory: Measurement = {
  name: 'memory',
  about: 'the peak memory of the update service',
  async measure(bench) {
    const ours: number[] = [];
    while (ours.length < runs) {
      const kibibytes = await bench.withMachine(await bench.armed(), async (machine) => {
        const write = `require('node:fs').writeFileSync('${told}', String(process.resourceUsage().maxRSS))`;
        await machine.write(hook, `process.on('exit', () => { ${write}; });\n`);
        await machine.write(
          '/usr/lib/systemd/system/offline-update.service.d/bench.conf',
          `[Service]\nEnvironment=NODE_OPTIONS=--require=${hook}\n`,
        );
        await machine.boot();
        return Number(await machine.read(told));
      });
      ours.push((kibibytes * 1024) / 1e6);
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
