/** Machines with a copy as the way back, and what has to be as it was after it was taken. */
import type { Test } from 'tap';
import { ownPaths } from '../fixtures/own-paths.js';
import type { Machine, Tree } from '../laboratory/laboratory.js';
import { treeDifference } from '../laboratory/laboratory.js';
import { armedMachine, type Scenario } from './installed.js';

/** Policy: what all other machines of the boot tests do without. */
export const copying = 'withoutSnapshots = "copy"\n';

export function copyMachine(t: Test, scenario: Scenario): Promise<Machine> {
  return armedMachine(t, { ...scenario, config: copying + (scenario.config ?? '') });
}

/** Everything but our own record, snapshots, trigger and stage, and what dpkg and apt write down of their runs. */
export function treeOf(machine: Machine): Promise<Tree> {
  const ours = [...ownPaths, '/var/lib/system-update'];
  return machine.tree({
    exclude: [...ours, '/var/log/dpkg.log', '/var/log/alternatives.log', /^\/var\/log\/apt\//],
  });
}

export async function isAsBefore(t: Test, machine: Machine, before: Tree): Promise<void> {
  t.strictSame(treeDifference(before, await treeOf(machine)), [], 'every file is as it was');
  t.equal((await machine.exec('dpkg --audit')).stdout, '');
}
