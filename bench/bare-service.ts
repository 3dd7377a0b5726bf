/** Turns an armed machine of ours into one whose update boot is a bare shell service, as people write them. */
import { shellQuote, type RootFiles } from '../test/laboratory/laboratory.js';
import { shellUpdate } from './shell-update.js';
import { takeOursAway } from './take-ours-away.js';

const stage = '/var/lib/system-update';

interface StagedPlan {
  payload: { changes: { name: string; architecture: string; to: string }[] };
}

/** How long its apt-get took is told by `shellUpdateSeconds`. */
export async function makeBare(machine: RootFiles): Promise<void> {
  const plan = JSON.parse(await machine.read(`${stage}/plan.json`)) as StagedPlan;
  const words = plan.payload.changes.map(({ name, architecture, to }) => `${name}:${architecture}=${to}`);
  const configurations = ['apt.conf', 'as-decided.conf'].filter((name) => machine.exists(`${stage}/${name}`));
  const read = configurations.flatMap((name) => ['-c', `${stage}/${name}`]);
  const install = ['apt-get', ...read, '-q', '-y', 'install', ...words];
  await takeOursAway(machine);
  await shellUpdate(machine, shellQuote(install), stage);
}
