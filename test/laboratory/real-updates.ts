import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { command } from './command.js';
import { archiveAccess, debianArchive } from './debian-archive.js';
import type { ContainerOptions } from './container.js';
import type { Machine } from './machine.js';

/** Options of `Machine.run`, `start` and `boot` with which a machine reaches the archive of Debian. */
export const withArchive = {
  network: true,
  args: ['--resolv-conf=bind-host'],
} as const satisfies ContainerOptions;

const probeSeconds = 10;
const suite = 'trixie';

/** Why Debian's archive cannot be reached from here, or undefined when it can. */
export async function archiveUnreachable(): Promise<string | undefined> {
  try {
    const { main } = await debianArchive();
    return await unfetchable(`${main}/dists/${suite}/Release`);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Why apt cannot fetch this file, in apt's words, or undefined when it can. Into a file: apt cuts and hashes what it writes. */
export async function unfetchable(uri: string): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'offline-update-archive-'));
  try {
    const quick = ['-o', 'Acquire::Retries=0', '-o', `Acquire::http::Timeout=${probeSeconds}`];
    const helper = ['/usr/lib/apt/apt-helper', ...quick, 'download-file', uri, join(folder, 'fetched')];
    const { exitCode, stderr } = await command(helper, { check: false, timeoutSeconds: 2 * probeSeconds });
    if (exitCode === 0) return undefined;
    const reason = /^E: (.*)$/m.exec(stderr)?.[1] ?? `apt-helper ended with ${exitCode}`;
    return `${uri}: ${reason.replace(`Failed to fetch ${uri}`, '').trim()}`;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Gives a machine the sources of the updates that Debian 13 has had since its release: trixie, trixie-updates, and
 * trixie-security, from where this machine gets its own packages. To use them, run or start the machine with `withArchive`;
 * boots without it have no network as always.
 */
export async function enableRealUpdates(machine: Machine): Promise<void> {
  const { main, security } = await debianArchive();
  const stanza = (uri: string, suites: string) =>
    `Types: deb\nURIs: ${uri}\nSuites: ${suites}\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n`;
  const stanzas = [
    stanza(main, `${suite} ${suite}-updates`),
    ...(security === undefined ? [] : [stanza(security, `${suite}-security`)]),
  ];
  await machine.write('/etc/apt/sources.list.d/debian.sources', stanzas.join('\n'));
  await machine.write('/etc/apt/apt.conf.d/00laboratory-archive', await archiveAccess());
}
