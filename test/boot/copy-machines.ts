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

/** One boot in which the power goes when the first folder is as it was, and the others are not yet. */
export async function cutHalfBack(t: Test, machine: Machine): Promise<void> {
  const program = '/usr/local/bin/ln';
  const steps = '/usr/bin/ln "$@" || exit 1\ncase $* in *--target-directory=*) ;; *) exit 0 ;; esac';
  await machine.write(
    program,
    `#!/bin/sh\n${steps}\necho lab-half-back >/dev/console\nexec sleep infinity\n`,
  );
  const { ended } = await machine.boot({ killWhen: { match: /lab-half-back/ } });
  t.equal(ended, 'killed', 'in the midst of what puts the copy back');
  await machine.remove(program);
}

export async function isAsBefore(t: Test, machine: Machine, before: Tree): Promise<void> {
  t.strictSame(treeDifference(before, await treeOf(machine)), [], 'every file is as it was');
  t.equal((await machine.exec('dpkg --audit')).stdout, '');
}
