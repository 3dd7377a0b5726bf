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
    const release = `${main}/dists/${suite}/Release`;
    const quick = ['-o', 'Acquire::Retries=0', '-o', `Acquire::http::Timeout=${probeSeconds}`];
    const helper = ['/usr/lib/apt/apt-helper', ...quick, 'download-file', release, '/dev/stdout'];
    const { exitCode } = await command(helper, { check: false, timeoutSeconds: 2 * probeSeconds });
    return exitCode === 0 ? undefined : `${release} cannot be fetched`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
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
