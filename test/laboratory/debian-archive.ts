import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { command } from './command.js';
import { LaboratoryError } from './laboratory-error.js';

/** Where this machine gets Debian from: the archive that a test machine is made of. */
export interface DebianArchive {
  main: string;
  /** Undefined when this machine has no source for security updates. */
  security: string | undefined;
}

/** Reads the package sources of this machine, which must be a Debian. */
export async function debianArchive(
  etcApt = '/etc/apt',
  osRelease = '/etc/os-release',
): Promise<DebianArchive> {
  const codename = /^VERSION_CODENAME="?(\w+)"?$/m.exec(await readFile(osRelease, 'utf8'))?.[1];
  const sources = await readSources(etcApt);
  const withSuite = (suite: string) => sources.find((source) => source.suites.includes(suite))?.uri;
  const main = codename === undefined ? undefined : withSuite(codename);
  if (codename === undefined || main === undefined) {
    throw new LaboratoryError(
      `no source for the suite ${codename ?? '?'} in ${etcApt}: is this machine a Debian?`,
    );
  }
  return { main, security: withSuite(`${codename}-security`) };
}

interface Source {
  uri: string;
  suites: string[];
}

async function readSources(etcApt: string): Promise<Source[]> {
  const parts = await readdir(join(etcApt, 'sources.list.d')).catch(() => []);
  const files = ['sources.list', ...parts.sort().map((name) => `sources.list.d/${name}`)];
  const texts = await Promise.all(
    files.map(async (name) => {
      const text = await readFile(join(etcApt, name), 'utf8').catch(() => '');
      return name.endsWith('.sources') ? deb822(text) : oneLine(text);
    }),
  );
  return texts.flat();
}

/** sources.list(5): `deb [options] URI suite component...` */
function oneLine(text: string): Source[] {
  return [...text.matchAll(/^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)/gm)].map(([, uri = '', suite = '']) => ({
    uri,
    suites: [suite],
  }));
}

function deb822(text: string): Source[] {
  const withoutComments = text.replaceAll(/^#.*\n/gm, '');
  return withoutComments.split(/\n\s*\n/).flatMap((stanza) => {
    const words = (field: string) =>
      (new RegExp(`^${field}:(.*(?:\\n[ \\t].*)*)`, 'im').exec(stanza)?.[1] ?? '')
        .split(/\s+/)
        .filter(Boolean);
    return words('Types').includes('deb')
      ? words('URIs').map((uri) => ({ uri, suites: words('Suites') }))
      : [];
  });
}

/** What this machine's apt must be told to reach the archive (a proxy, a clock that is off), as lines of apt.conf. */
export async function archiveAccess(): Promise<string> {
  const { stdout } = await command(['apt-config', 'dump', 'Acquire']);
  return stdout
    .split('\n')
    .filter((line) => /::Proxy(::| )|^Acquire::Check-(Date|Valid-Until) /i.test(line))
    .join('\n')
    .concat('\n');
}
