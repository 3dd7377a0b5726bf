/**
 * The calls of `grub-install` that units/grub-install put off, because a fallback booted next: made in the first ordinary
 * boot of the updated root, which then has its own name again (docs/fallback.md).
 */
import { join } from 'node:path';
import { namesIn } from '../host/if-there.js';
import type { KnownUpdate } from '../update/store.js';
import { shellWords } from '../update/shell-words.js';
import type { Ports } from './ports.js';

type BootLoaderPorts = Pick<Ports, 'paths' | 'fs' | 'files' | 'run' | 'log'>;

const TIMEOUT_SECONDS = 300;

/**
 * Before the verdict: cut short, the next boot makes the same calls again. One that fails is told, and is no reason to go
 * back: the boot loader that is there has just booted the updated root.
 */
export async function installBootLoader(ports: BootLoaderPorts, update: KnownUpdate): Promise<void> {
  const { fs, paths, run, log } = ports;
  for (const name of await namesOf(ports)) {
    const args = (await fs.readFile(join(paths.bootLoaderCalls, name))).split('\n').slice(0, -1);
    const told = shellWords(['grub-install', ...args]);
    const why = await run('grub-install', args, {
      timeoutSeconds: TIMEOUT_SECONDS,
      withDescendants: true,
    }).then(({ exitCode, stderr }) => (exitCode === 0 ? undefined : stderr.trim() || 'it failed'), String);
    if (why === undefined) {
      log.write('notice', `${told}: done, after it was put off in the update boot`);
    } else {
      const message = `the boot loader is not renewed, and still boots: ${why}; to try again: ${told}`;
      await update.journal.append({ note: 'finding', check: 'boot-loader', message });
      log.write('warning', message);
    }
  }
  await dropBootLoaderCalls(ports);
}

/** With any verdict; a root that is given up takes its own along. */
export async function dropBootLoaderCalls({ files, paths }: Pick<Ports, 'files' | 'paths'>): Promise<void> {
  await files.removeTree(paths.bootLoaderCalls);
}

/** In the order in which they were asked for. */
async function namesOf({ fs, paths }: BootLoaderPorts): Promise<string[]> {
  return (await namesIn(fs, paths.bootLoaderCalls)).sort();
}
