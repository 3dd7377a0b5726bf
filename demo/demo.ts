/**
 * The main job, for the eyes: a throw-away Debian 13 container gets a real offline update, from a small local
 * repository and, where Debian's archive can be reached, from it. Exits non-zero if anything differs from the plan.
 */
import {
  archiveUnreachable,
  enableRealUpdates,
  Machine,
  machineWithVersion1,
  withArchive,
  type BootRecord,
} from '../test/laboratory/laboratory.js';
import { packageUnderDemo } from './package-under-demo.js';
import { Story } from './story.js';

const packages = ['lab-good', 'lab-conffile', 'lab-service', 'lab-program', 'lab-library', 'lab-epoch'];

interface Plan {
  id: string;
  payload: { changes: { name: string; architecture: string; to: string | null }[] };
}

async function main(): Promise<void> {
  const story = new Story();
  const deb = await story.step('build offline-update.deb', () => Promise.resolve(packageUnderDemo()));
  const unreachable = await archiveUnreachable();
  const layer = await story.step('make a Debian 13 machine, install the .deb', () =>
    machineWithVersion1(packages, { install: [deb] }),
  );
  const machine = await Machine.on(layer);
  try {
    if (unreachable === undefined) await enableRealUpdates(machine);
    else story.say(`Debian's archive is out of reach (${unreachable}): the local repository alone`);
    // The same in every boot: a network that is gone after an update is a reason to go back.
    const network = unreachable === undefined ? withArchive : {};
    await story.step('boot it', () => machine.start(network));
    await updateIt(story, machine, network);
  } finally {
    await machine.dispose();
  }
}

async function updateIt(story: Story, machine: Machine, network: typeof withArchive | object): Promise<void> {
  await story.command(machine, ['offline-update', 'prepare']);
  const plan = JSON.parse(await machine.read('/var/lib/system-update/plan.json')) as Plan;
  const names = plan.payload.changes.map(({ name, architecture }) => `${name}:${architecture}`);
  const before = await versions(machine, names);
  await story.command(machine, ['offline-update', 'trigger', '--action', 'reboot', '--now']);
  const down = await machine.waitForEnd();
  story.boot('the normal system goes down', down);

  const boots = await machine.bootUntilSettled(network);
  for (const boot of boots)
    story.boot(boot.ended === 'reboot' ? 'the update boot' : 'the next normal boot', boot);
  await machine.exec(['systemctl', 'is-system-running', '--wait'], { check: false });

  const after = await versions(machine, names);
  const { stdout: report } = await machine.exec(['offline-update', 'report', plan.id]);
  story.say(report);
  const { stdout: status } = await machine.exec(['offline-update', 'status', '--json']);
  story.versions(plan.payload.changes, before, after);
  judge(story, plan, after, boots, (JSON.parse(status) as { state: string }).state);
}

/** Everything that the plan said, and nothing less, or the demonstration has failed. */
function judge(
  story: Story,
  plan: Plan,
  after: ReadonlyMap<string, string>,
  boots: readonly BootRecord[],
  state: string,
): void {
  const wrong = plan.payload.changes
    .filter(({ name, architecture, to }) => after.get(`${name}:${architecture}`) !== (to ?? undefined))
    .map(({ name, to }) => `${name} is not ${to ?? 'gone'}`);
  if (state !== 'confirmed') wrong.push(`the update is ${state}, not confirmed`);
  const ends = boots.map(({ ended }) => ended).join(', ');
  if (ends !== 'reboot, up') wrong.push(`the boots ended as ${ends}`);
  for (const each of wrong) story.say(`DIFFERS FROM THE PLAN: ${each}`);
  if (wrong.length > 0) process.exitCode = 1;
  else story.say(`All ${plan.payload.changes.length} changes are as planned, and the machine is back.`);
}

async function versions(machine: Machine, names: readonly string[]): Promise<Map<string, string>> {
  const format = '${Package}:${Architecture} ${Version} ${db:Status-Abbrev}\\n';
  const { stdout } = await machine.exec(['dpkg-query', '--show', `--showformat=${format}`], { check: false });
  const installed = stdout.split('\n').map((line) => line.trim().split(/ +/));
  const wanted = new Set(names);
  return new Map(
    installed.flatMap(([name = '', version = '', state]) =>
      wanted.has(name) && state === 'ii' ? [[name, version]] : [],
    ),
  );
}

await main();
