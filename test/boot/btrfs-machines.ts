/** btrfs machines with the .deb installed and an update armed: one image for each scenario, put back for each test. */
import type { Test } from 'tap';
import { packageUnderTest } from '../fixtures/package-under-test.js';
import { ownPaths } from '../fixtures/own-paths.js';
import {
  BtrfsMachine,
  machineWithVersion1,
  rootImage,
  type BtrfsOptions,
  type Tree,
} from '../laboratory/laboratory.js';
import type { Scenario } from './installed.js';

export interface MachineOptions extends BtrfsOptions {
  /** Packages of Debian besides btrfs-progs. */
  install?: readonly string[];
}

const armed = new Map<string, Promise<BtrfsMachine>>();

/** Machines of one scenario share an image: one at a time. */
export async function armedBtrfsMachine(
  t: Test,
  scenario: Omit<Scenario, 'repository'>,
  options: MachineOptions = {},
): Promise<BtrfsMachine> {
  const key = JSON.stringify({ ...scenario, before: scenario.before?.toString(), options });
  const made = armed.get(key) ?? makeArmed(scenario, options);
  armed.set(key, made);
  const machine = await made;
  await machine.restore();
  t.teardown(() => machine.kill());
  return machine;
}

async function makeArmed(
  scenario: Omit<Scenario, 'repository'>,
  options: MachineOptions,
): Promise<BtrfsMachine> {
  const base = await rootImage({ packages: ['btrfs-progs', ...(options.install ?? [])] });
  const layer = await machineWithVersion1(scenario.packages, { base, install: [packageUnderTest()] });
  const machine = await BtrfsMachine.make(layer, options);
  // Where a snapshot cannot be made, what is said is that.
  await machine.write(
    '/etc/offline-update/config.d/10-laboratory.toml',
    'withoutSnapshots = "resume"\naction = "reboot"\n',
  );
  if (scenario.config !== undefined)
    await machine.write('/etc/offline-update/config.d/50-test.toml', scenario.config);
  await scenario.before?.(machine);
  await machine.start();
  await machine.exec(['offline-update', 'prepare', '--no-refresh', ...(scenario.prepare ?? [])]);
  await machine.exec(['offline-update', 'trigger', '--no-rehearse', ...(scenario.trigger ?? [])]);
  await machine.stop();
  await machine.remember();
  return machine;
}

/** Everything but what is ours. */
export function treeOf(machine: BtrfsMachine): Promise<Tree> {
  return machine.tree({ exclude: ownPaths });
}
