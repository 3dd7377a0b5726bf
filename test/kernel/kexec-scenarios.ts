/** What an update with a newer kernel comes to where the policy allows a kexec, the same on each layout of a disk. */
import type { Test } from 'tap';
import type { DiskLayout } from '../laboratory/disk-image.js';
import type { VirtualMachine } from '../laboratory/virtual-machine.js';
import { armedVirtualMachine, packages, statusOf, versionsOf, type ArmedMachine } from './kernel-machines.js';
import { expected, fails, hasEnded, policyOf } from './scenarios.js';

const allowing = (layout: DiskLayout): string => `${policyOf(layout)}kexec = "allow"\n`;
const kernelChanges = /^the kernel changes: linux-image-[^;]*$/;

/** One machine, never reset; the words of its kernel are those that GRUB gives to the next boot. */
export async function startsByKexec(t: Test, layout: DiskLayout): Promise<void> {
  const { machine, kernels } = await armed(t, layout);
  const boots = await machine.bootUntilSettled();
  hasEnded(t, boots, ['up']);
  const there = await whatRuns(machine);
  const { release, root } = expected(layout, kernels.newRelease);
  t.strictSame([there.release, there.root], [release, root]);
  t.strictSame(await versionsOf(machine), Object.fromEntries(packages.map((name) => [name, '2.0'])));
  await tells(t, machine, 'confirmed', { action: 'kexec', actionBecause: kernelChanges });
  await machine.stop();
  await machine.start();
  t.strictSame(await whatRuns(machine), there, 'kernel, root and words are those that GRUB gives');
  await machine.stop();
}

/** A package fails after `update-grub` named the newer kernel. */
export async function givesWayTo(t: Test, layout: DiskLayout): Promise<void> {
  const machine = await fails(t, layout, await armed(t, layout));
  await machine.start();
  const because = /^the kernel changes: linux-image-.*; no kexec: the update is reverted$/;
  await tells(t, machine, 'reverted', { action: 'reboot', actionBecause: because });
  await machine.stop();
}

const armed = (t: Test, layout: DiskLayout): Promise<ArmedMachine> =>
  armedVirtualMachine(t, layout, allowing(layout), ['kexec-tools']);

async function whatRuns(machine: VirtualMachine): Promise<{ release: string; root: string; words: string }> {
  const { stdout } = await machine.exec('uname -r; findmnt -no FSROOT /; cat /proc/cmdline');
  const [release = '', root = '', words = ''] = stdout.trim().split('\n');
  return { release, root, words };
}

/** The plan foretold it, and the report says what became of it. */
async function tells(t: Test, machine: VirtualMachine, state: string, became: object): Promise<void> {
  const status = await statusOf(machine);
  t.match(status, { state });
  const id = String(status['id']);
  const report = await machine.exec(`offline-update report --json ${id}`);
  t.match(JSON.parse(report.stdout), became);
  const plan = await machine.exec(`cat /var/lib/offline-update/updates/${id}/plan.json`);
  t.match(JSON.parse(plan.stdout), { end: { action: 'kexec', because: kernelChanges } });
}
