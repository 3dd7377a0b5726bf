/** Each block of docs/recovering-by-hand.md, as it stands there, on machines that were killed in the midst of an install. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { command } from '../laboratory/command.js';
import { ImageMachine, tinyPackages, treeDifference, type Machine } from '../laboratory/laboratory.js';
import { armedBtrfsMachine, treeOf as btrfsTreeOf } from './btrfs-machines.js';
import { copying, isAsBefore, treeOf } from './copy-machines.js';
import { armedLayer, armedMachine, isBackToNormal, statusOf, versionsOf } from './installed.js';

if (process.getuid?.() !== 0) t.bailout('the boot tests need root');

const text = await readFile(join(import.meta.dirname, '../../docs/recovering-by-hand.md'), 'utf8');
const blocks = new Map(
  [...text.matchAll(/^<!-- run: (.*) -->\n\n```sh\n([^]*?)^```$/gm)].map(([, name = '', block = '']) => [
    name,
    block,
  ]),
);
const used = new Set<string>();

function block(name: string): string {
  used.add(name);
  const found = blocks.get(name);
  if (found === undefined) throw new Error(`the page has no block "${name}"`);
  return found;
}

const packages = ['lab-conffile', 'lab-slow', ...tinyPackages(5)];
const updated = Object.fromEntries(packages.map((name) => [name, '2.0']));
const killWhen = { file: '/var/lib/offline-update/updates/*/term.log', match: /Setting up lab-slow/ };
const pastTheUpdate = { words: ['systemd.unit=multi-user.target'] };

async function killed(t: Test, machine: Machine): Promise<void> {
  t.teardown(() => machine.dispose());
  t.equal((await machine.boot({ killWhen })).ended, 'killed', 'in the midst of the install');
}

/** This machine is the other medium: what stands there for `/dev/sda2` and `/mnt` is the disk of the machine, and a folder. */
async function onMedium(t: Test, device: string, ...names: string[]): Promise<string> {
  const script = names.map(block).join('\n').replaceAll('/dev/sda2', device).replaceAll('/mnt', t.testdir());
  const { stdout } = await command(['unshare', '--mount', '--propagation=private', 'sh', '-euc', script]);
  return stdout;
}

const deviceOf = async (folder: string): Promise<string> =>
  (await command(['findmnt', '--noheadings', '--output=SOURCE', '--nofsroot', folder])).stdout.trim();

void t.test(
  'no way back: led past the update, packages are made whole and the links are taken away',
  async (t) => {
    const machine = await armedMachine(t, { packages });
    await killed(t, machine);
    await machine.start(pastTheUpdate);
    t.match(
      (await machine.exec(['sh', '-c', block('look')], { check: false })).stdout,
      /installing[^]*\/system-update.claimed ->/,
    );
    const { stdout } = await machine.exec(['sh', '-euc', block('whole')]);
    t.match(stdout, /Setting up lab-slow \(2\.0\)/);
    await machine.exec(['sh', '-euc', block('links')]);
    await machine.stop();
    await isBackToNormal(t, machine, await machine.bootUntilSettled());
    t.match(await statusOf(machine), { state: 'confirmed' });
    t.strictSame(await versionsOf(machine, packages), updated);
    t.match((await machine.exec(['sh', '-euc', block('up')])).stdout, /confirmed/);
  },
);

for (const shell of ['init=/bin/sh', 'systemd.unit=rescue.target', 'systemd.unit=emergency.target']) {
  void t.test(`a copy: put back from the shell of ${shell}`, async (t) => {
    const machine = await armedMachine(t, { packages, config: copying });
    const before = await treeOf(machine);
    await killed(t, machine);
    const isRescue = shell.startsWith('systemd');
    if (isRescue) {
      const [boot] = await machine.bootUntilSettled({ words: [shell] });
      t.equal(boot?.ended, 'maintenance');
    }
    const call = (name: string): Promise<{ stdout: string }> =>
      machine[isRescue ? 'exec' : 'run'](['sh', '-euc', block(name)]);
    t.equal((await call('put back')).stdout, '', 'it says nothing');
    await call('links');
    await machine.kill();
    await isBackToNormal(t, machine, await machine.bootUntilSettled());
    await isAsBefore(t, machine, before);
    t.match(await statusOf(machine), { state: 'reverted' });
  });
}

void t.test('a copy: led past the update, what is written there is not taken for its own', async (t) => {
  const machine = await armedMachine(t, { packages, config: copying });
  const before = await treeOf(machine);
  await killed(t, machine);
  await machine.start(pastTheUpdate);
  await machine.exec(
    'systemctl is-system-running --wait; mkdir -p /opt/shop && echo 1 >/opt/shop/order && echo 2 >/usr/local/bin/own',
  );
  await machine.stop();
  await isBackToNormal(t, machine, await machine.bootUntilSettled());
  t.match(await statusOf(machine), { state: 'reverted' });
  t.strictSame(treeDifference(before, await treeOf(machine)), [
    '+ /opt/shop',
    '+ /opt/shop/order',
    '+ /usr/local/bin/own',
  ]);
});

void t.test('another medium, ext4: the copy is put back; without one packages are made whole', async (t) => {
  for (const config of [copying, '']) {
    const machine = await ImageMachine.make(await armedLayer({ packages, config }), { type: 'ext4' });
    const before = await treeOf(machine);
    await killed(t, machine);
    await onMedium(t, await deviceOf(machine.root), config === copying ? 'medium copy' : 'medium whole');
    await isBackToNormal(t, machine, await machine.bootUntilSettled());
    const { state } = await statusOf(machine);
    t.equal(state, config === copying ? 'reverted' : 'confirmed');
    // systemd-nspawn mounts a file there, which was saved; the medium sees what lies below, and puts the saved one there.
    const differs = treeDifference(before, await treeOf(machine)).filter(
      (line) => line !== '! /etc/localtime',
    );
    if (config === copying) t.strictSame(differs, [], 'every file is as it was');
    else t.strictSame(await versionsOf(machine, packages), updated);
    await machine.dispose();
  }
});

for (const [boots, exchange] of [['name', 'btrfs exchange']] as const) {
  void t.test(
    `another medium, btrfs by ${boots}: the old root takes the place of one that does not boot`,
    async (t) => {
      const machine = await armedBtrfsMachine(t, { packages: ['lab-conffile', 'lab-good'] }, { boots });
      const before = await btrfsTreeOf(machine);
      t.equal((await machine.boot()).ended, 'reboot', 'updated');
      const [, old = ''] = await machine.subvolumes();
      const device = await deviceOf(machine.top);
      const seen = await onMedium(t, device, 'btrfs look', exchange);
      t.match(seen, `${old}/var/lib/offline-update/fallback.json`);
      await isBackToNormal(t, machine, await machine.bootUntilSettled());
      t.strictSame(treeDifference(before, await btrfsTreeOf(machine)), []);
      t.match(await statusOf(machine), { state: 'reverted' });
    },
  );
}

void t.test('no block of the page is left untried', (t) => {
  t.strictSame(
    [...blocks.keys()].filter((name) => !used.has(name)),
    [],
  );
  t.end();
});
