/** The most memory that programs of ours in a machine have held at once, threads and all, as the kernel tells it at their end. */
import type { Machine } from '../test/laboratory/laboratory.js';

const hook = '/usr/lib/bench-memory.cjs';
const told = '/var/lib/bench-memory';
const folder = '/usr/lib/systemd/system/offline-update.service.d';

/** For each command line that is to be watched: the variable that has Node.js tell of itself. */
export const watchedByEnvironment = `NODE_OPTIONS=--require=${hook}`;

/** The machine is off: the update service tells of itself from now on, and whoever is started with that variable. */
export async function watchServiceMemory(machine: Machine): Promise<void> {
  const write = `require('node:fs').writeFileSync('${told}', String(process.resourceUsage().maxRSS))`;
  const isMain = `require('node:worker_threads').isMainThread`;
  await machine.write(hook, `if (${isMain}) process.on('exit', () => { ${write}; });\n`);
  await machine.write(`${folder}/bench.conf`, `[Service]\nEnvironment=${watchedByEnvironment}\n`);
}

/** Of the one that has ended last. */
export async function watchedMegabytes(machine: Machine): Promise<number> {
  return (Number(await machine.read(told)) * 1024) / 1e6;
}
