import t from 'tap';
import type { Finding } from '../../src/update/finding.js';
import { fixtureMachines } from '../fixtures/apt-machine.js';

const machineFor = await fixtureMachines(['lab-good', 'lab-conffile']);

const told = (findings: readonly Finding[] | undefined) =>
  (findings ?? []).map(({ check, severity, evidence }) => `${severity} ${check}: ${evidence}`);

void t.test('nothing is said of a system that is as its packages left it', async (t) => {
  const { drive } = await machineFor(t, ['lab-good']);
  const [advise] = await drive(['advise']);
  t.strictSame(advise?.findings, []);
});

void t.test('a changed configuration file is told with what the policy does with it', async (t) => {
  const { drive, machine } = await machineFor(t, ['lab-good', 'lab-conffile']);
  await machine.write('/etc/lab-conffile.conf', 'mine \xff\n');
  const [kept] = await drive(['advise']);
  t.strictSame(told(kept?.findings), [
    'info changed-conffiles: you changed /etc/lab-conffile.conf: your versions stay, new ones come beside them as .dpkg-dist',
  ]);
  await machine.run('rm /etc/lab-untouched.conf');
  t.strictSame((await drive(['advise']))[0]?.findings, kept?.findings, 'one that was removed on purpose');
  const [replaced] = await drive(['advise'], { policy: { conffiles: 'replace' } });
  t.match(told(replaced?.findings), [/new versions replace yours, which stay beside them as .dpkg-old/]);
});

void t.test('a configuration file of a package that is not in the plan is nobody’s business', async (t) => {
  const { drive, machine } = await machineFor(t, ['lab-good']);
  await machine.write('/etc/lab-conffile.conf', 'mine\n');
  t.strictSame((await drive(['advise']))[0]?.findings, []);
});

void t.test('packages on hold are told', async (t) => {
  const { drive, machine } = await machineFor(t, ['lab-good']);
  await machine.run('echo lab-conffile hold | dpkg --set-selections');
  t.strictSame(told((await drive(['advise']))[0]?.findings), [
    'info held-packages: on hold, and left out: lab-conffile',
  ]);
});

void t.test('GRUB without a disk to install itself on would fail, and blocks', async (t) => {
  const { drive, machine, plan } = await machineFor(t, ['lab-good']);
  const [good] = plan.changes;
  t.ok(good);
  if (good) plan.changes.push({ ...good, name: 'grub-pc' });
  const answers = (devices: string, more = '') =>
    machine.write(
      '/var/cache/debconf/config.dat',
      `Name: grub-pc/timeout\nTemplate: grub-pc/timeout\nValue: 5\n\nName: grub-pc/install_devices\nTemplate: grub-pc/install_devices\nValue: ${devices}\nOwners: grub-pc\n${more}`,
    );
  const grub = async () => told((await drive(['advise']))[0]?.findings);
  await answers('/dev/disk/by-id/gone, /dev/null');
  t.strictSame(await grub(), [
    'block grub-devices: GRUB would install itself on /dev/disk/by-id/gone, which is not there: grub-pc would fail in the update',
  ]);
  await answers('');
  t.match(await grub(), [/^block grub-devices: debconf remembers no disk/]);
  await answers('', '\nName: grub-pc/install_devices_empty\nValue: true\n');
  t.strictSame(await grub(), []);
  await answers('/dev/null');
  t.strictSame(await grub(), []);
});
