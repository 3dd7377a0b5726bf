import { stat } from 'node:fs/promises';
import { command } from './command.js';
import { LaboratoryError } from './laboratory-error.js';

/** What the laboratory needs on the machine that runs the tests: a program of each Debian package, and why. */
const needed: readonly { program: string; debianPackage: string; why: string }[] = [
  { program: 'systemd-nspawn', debianPackage: 'systemd-container', why: 'boots the test machines' },
  { program: 'mmdebstrap', debianPackage: 'mmdebstrap', why: 'makes their root' },
  { program: 'dpkg-deb', debianPackage: 'dpkg', why: 'packs installed packages again' },
  { program: 'gpg', debianPackage: 'gpg', why: 'signs the package repository' },
  { program: 'gpgconf', debianPackage: 'gpgconf', why: 'ends the agent of gpg' },
  { program: 'gpg-agent', debianPackage: 'gpg-agent', why: 'keeps the key of the repository' },
  { program: 'script', debianPackage: 'bsdutils', why: 'gives a command a terminal' },
  { program: 'mount', debianPackage: 'mount', why: 'mounts their roots' },
];

/**
 * Installs the missing ones by apt-get. Throws LaboratoryError, with the command to type, when that is not possible: not
 * root, or not a Debian.
 */
export async function ensureHostPackages(): Promise<void> {
  const missing: (typeof needed)[number][] = [];
  for (const each of needed) if (!(await isInPath(each.program))) missing.push(each);
  const reasons = missing.map((each) => `  ${each.debianPackage}: ${each.why}`).join('\n');
  const install = [
    'apt-get',
    'install',
    '-y',
    '--no-install-recommends',
    ...missing.map((each) => each.debianPackage),
  ];
  if (process.getuid?.() !== 0) {
    throw new LaboratoryError(
      'the boot laboratory mounts file systems and boots containers: run it as root' +
        (missing.length > 0 ? `, after\n  ${install.join(' ')}` : ''),
    );
  }
  if (missing.length === 0) return;
  if (!(await isInPath('apt-get'))) {
    throw new LaboratoryError(`the boot laboratory needs a Debian or these programs' packages:\n${reasons}`);
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await command(['apt-get', 'update'], { env, timeoutSeconds: 300 });
  await command(install, { env, timeoutSeconds: 600 });
}

async function isInPath(program: string): Promise<boolean> {
  const folders = (process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin').split(':');
  const found = await Promise.all(
    folders.map((folder) =>
      stat(`${folder}/${program}`).then(
        (stats) => stats.isFile(),
        () => false,
      ),
    ),
  );
  return found.includes(true);
}
