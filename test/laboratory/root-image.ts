import { mkdir, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cachedFolder } from './cache.js';
import { command } from './command.js';
import { Container } from './container.js';
import { debianArchive } from './debian-archive.js';
import type { Layer } from './machine.js';
import { watchBoot } from './boot.js';

/** Raise it when the way of building changes. */
const recipeVersion = 3;
const suite = 'trixie';
const packages = ['systemd', 'systemd-sysv', 'libpam-systemd', 'dbus', 'nodejs', 'procps', 'debconf'];
const machineId = '0ffa1e0ffa1e40ffa1e00ffa1e0ffa1e';

export interface RootImageOptions {
  /** Installed besides systemd, dbus, nodejs, procps and debconf. */
  packages?: readonly string[];
}

/**
 * A Debian 13 as the release has it, without its security updates, booted once so that first-boot work is done. It has no
 * package sources, no resolver, no root password, no timers and no login prompt; all else is stock. Built in about 20 s, then kept.
 */
export async function rootImage(options: RootImageOptions = {}): Promise<Layer> {
  const include = [...packages, ...(options.packages ?? [])];
  const folder = await cachedFolder(
    'roots',
    suite,
    { recipeVersion, include, machineId },
    async (building) => {
      const root = join(building, 'root');
      const { main } = await debianArchive();
      const quiet = ['--quiet', '--mode=root', '--variant=apt', '--format=directory'];
      const own = ['--aptopt=Apt::Install-Recommends "false"', '--aptopt=Acquire::Languages "none"'];
      const line = `deb ${main} ${suite} main`;
      await command(['mmdebstrap', ...quiet, ...own, `--include=${include.join()}`, suite, root, line], {
        timeoutSeconds: 900,
      });
      await makeNeutral(root);
      await bootOnce(root);
    },
  );
  return { folders: [join(folder, 'root')] };
}

async function makeNeutral(root: string): Promise<void> {
  const path = (inside: string) => join(root, inside);
  await rm(path('etc/apt/apt.conf.d/99mmdebstrap'), { force: true });
  for (const name of await readdir(path('etc/apt/sources.list.d')))
    await rm(path(`etc/apt/sources.list.d/${name}`));
  await writeFile(path('etc/apt/sources.list'), '');
  await rm(path('etc/resolv.conf'), { force: true });
  await writeFile(path('etc/hostname'), 'lab\n');
  await writeFile(path('etc/hosts'), '127.0.0.1 localhost lab\n');
  await rm(path('etc/machine-id'), { force: true });
  await writeFile(path('etc/machine-id'), `${machineId}\n`);
  // Timers would start apt and backups in some boots and not in others.
  const timers = path('etc/systemd/system/timers.target.wants');
  await rm(timers, { recursive: true, force: true });
  // A login prompt takes the console over, and what systemd says after it, that the machine is up, is lost now and then.
  await symlink('/dev/null', path('etc/systemd/system/console-getty.service'));
  // A persistent journal can be read from outside, also after a kill.
  await mkdir(path('var/log/journal'), { recursive: true });
  const shadow = await readFile(path('etc/shadow'), 'utf8');
  await writeFile(path('etc/shadow'), shadow.replace(/^root:[^:]*:/m, 'root::'));
}

async function bootOnce(root: string): Promise<void> {
  const container = new Container(root, `lab-first-boot-${process.pid}`);
  const record = await watchBoot(container, { timeoutSeconds: 120 }, true);
  if (record.ended !== 'up') throw container.failure(`the new root does not come up: ${record.ended}`);
  await container.exec(['systemctl', '--no-block', 'poweroff'], { check: false });
  await container.exited;
  await rm(join(root, 'var/log/journal', machineId), { recursive: true, force: true });
}
