/** A package that renews the boot loader, where no fallback reaches (docs/fallback.md). */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Machine } from '../laboratory/laboratory.js';
import { armedBtrfsMachine } from './btrfs-machines.js';
import { armedMachine, installedMachine, isBackToNormal, statusOf } from './installed.js';

/** Writes down in which root it ran, and how it was called. */
const recorder = `#!/bin/sh
{ findmnt --noheadings --output=FSROOT /; printf '<%s>' "$@"; echo; } >>/srv/calls
test ! -e /srv/fails
`;
const before = (machine: Machine) => machine.write('/usr/sbin/grub-install', recorder);
const call = '<--target=i386-pc><--comment=two words></dev/vda>\n';
const packages = ['lab-boot-loader', 'lab-good'];

void t.test(
  'invariant 4: with a fallback, grub-install runs once, when the updated root has its name again',
  async (t) => {
    const machine = await armedBtrfsMachine(t, { packages, before });
    await isBackToNormal(t, machine, await machine.bootUntilSettled());
    t.equal((await statusOf(machine)).state, 'confirmed');
    t.equal(await machine.read('/srv/calls'), `/@\n${call}`);
    t.notOk(machine.exists('/var/lib/offline-update/grub-install'), 'nothing is left to be done');
  },
);

void t.test('the update is reverted: grub-install has never run', async (t) => {
  const machine = await armedBtrfsMachine(t, { packages, before });
  await machine.write('/etc/offline-update/after-install.d/50-fails', '#!/bin/sh\nexit 1\n');
  await isBackToNormal(t, machine, await machine.bootUntilSettled());
  const { state, id } = await statusOf(machine);
  t.equal(state, 'reverted');
  const [, failed = ''] = await machine.subvolumes();
  const { stdout } = await machine.exec(['offline-update', 'log', id ?? '']);
  t.match(stdout, /grub-install is put off until the update is confirmed/);
  t.notOk(existsSync(join(machine.top, failed, 'srv/calls')));
  t.notOk(machine.exists('/srv/calls'));
});

void t.test('grub-install fails after the update: it is told, with what to type', async (t) => {
  const machine = await armedBtrfsMachine(t, { packages, before });
  await machine.write('/srv/fails', '');
  await isBackToNormal(t, machine, await machine.bootUntilSettled());
  const { state, id } = await statusOf(machine);
  t.equal(state, 'confirmed');
  const { stdout } = await machine.exec(['offline-update', 'report', id ?? '', '--json']);
  t.match(stdout, /to try again: grub-install --target=i386-pc '--comment=two words' \/dev\/vda/);
});

void t.test('without a fallback it runs at once, as the package wants it', async (t) => {
  const machine = await armedMachine(t, { packages, before, config: 'snapshot = "off"\n' });
  const boot = await machine.boot();
  t.equal(boot.ended, 'reboot');
  t.match(await machine.read('/srv/calls'), call);
  await isBackToNormal(t, machine, await machine.bootUntilSettled());
  t.equal((await statusOf(machine)).state, 'confirmed');
});

void t.test('a rehearsal has no disk: GRUB is left out of it, and that is told', async (t) => {
  const machine = await installedMachine(t, packages);
  const failing = '#!/bin/sh\necho "grub-probe: error: failed to get canonical path" >&2\nexit 1\n';
  for (const name of ['grub-install', 'update-grub']) await machine.write(`/usr/sbin/${name}`, failing);
  await machine.start();
  await machine.exec(['offline-update', 'prepare', '--no-refresh']);
  const { stdout } = await machine.exec(['offline-update', 'trigger']);
  t.match(stdout, /Not rehearsed: grub-install, update-grub$/m);
  t.match(await statusOf(machine), { state: 'armed' });
});
