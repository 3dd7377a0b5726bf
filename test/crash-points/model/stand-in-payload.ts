/**
 * A payload in many small steps that makes a change which can be told from afar: each file of /usr says `old` or `new`.
 *
 * As unkind as a package manager may be: what it puts in place is not synced at all, while its database, which says so,
 * is, unless all its syncs are suppressed. What heals it is to do all of it again, whatever the database says. The last package is a kernel: it writes the name of
 * the running root into the configuration of the boot loader.
 */
import { join } from 'node:path';
import type { DurableFiles } from '../../../src/host/durable-files.js';
import type { FileSystem } from '../../../src/host/file-system.js';
import type { InstallOptions, Payload } from '../../../src/payloads/payload.js';
import { UpdateError } from '../../../src/update/errors.js';
import type { Finding } from '../../../src/update/finding.js';
import type { PackageChange, PackagesPlan } from '../../../src/update/plan.js';
import { packagesPlan } from '../../fixtures/packages-plan.js';

export const packageNames = ['alpha', 'beta', 'kernel'] as const;
export const database = '/var/lib/dpkg/status';
export const grubConfiguration = '/boot/grub/grub.cfg';

/** What the package manager may do wrong; `unhealthy`: it does well, and the machine does not with what it installed. */
export type Fault = 'none' | 'install-fails' | 'install-and-heal-fail' | 'unhealthy';

export interface PayloadParts {
  fs: FileSystem;
  files: DurableFiles;
  /** As the running root is named right now; undefined where no name boots it. */
  rootName: () => string | undefined;
  fault: Fault;
}

export const installedFile = (name: string): string => `/usr/share/${name}`;
export const contentOf = (name: string, version: string): string => `${name}, ${version}: a whole file\n`;
export const databaseOf = (version: string): string =>
  packageNames.map((name) => `${name} ${version}\n`).join('');
export const grubText = (root: string | undefined): string =>
  `linux /vmlinuz root=UUID=1 ${root === undefined ? '' : `rootflags=subvol=${root}`}\n`;

export function plannedChanges(hashes: ReadonlyMap<string, string>): PackagesPlan {
  const changes = packageNames.map((name): PackageChange => {
    const file = `packages/${name}.deb`;
    return {
      name,
      architecture: 'all',
      action: 'upgrade',
      from: 'old',
      to: 'new',
      automatic: false,
      file,
      sizeBytes: contentOf(name, 'new').length,
      sha256: hashes.get(file) ?? null,
    };
  });
  return packagesPlan(changes);
}

export function standInPayload(parts: PayloadParts): Payload<PackagesPlan> {
  const { fs, files, rootName, fault } = parts;
  const tell = async (text: string, syncs: InstallOptions['syncs']): Promise<void> => {
    if (syncs === 'kept') return files.replace(database, text, 0o644);
    await fs.removeTree(`${database}.new`);
    await fs.createFile(`${database}.new`, text, 0o644);
    await fs.rename(`${database}.new`, database);
  };
  const install = async (
    plan: PackagesPlan,
    stage: string,
    { syncs, terminalLog }: InstallOptions,
    fails: boolean,
  ): Promise<void> => {
    for (const { name, file } of plan.changes) {
      await fs.appendFile(terminalLog, `Unpacking ${name} (new)\n`);
      const next = `${installedFile(name)}.new`;
      await fs.removeTree(next);
      await fs.createFile(next, await fs.readFile(join(stage, file ?? '')), 0o644);
      await fs.rename(next, installedFile(name));
      if (fails && name === 'beta') throw new UpdateError('INSTALL_FAILED', 'beta cannot be configured');
      const known = await fs.readFile(database);
      await tell(known.replace(`${name} old`, `${name} new`), syncs);
    }
    await fs.removeTree(grubConfiguration);
    await fs.createFile(grubConfiguration, grubText(rootName()), 0o644);
  };
  const online = (): Promise<never> => Promise.reject(new Error('the plan is made already'));
  const finding = (check: string, evidence: string): Finding[] => [
    { check, severity: 'block', evidence, remedy: '' },
  ];
  return {
    plan: online,
    fetch: online,
    async preflight() {
      const isUntouched = (await fs.readFile(database)) === databaseOf('old');
      return isUntouched ? [] : finding('drift', 'the installed packages changed');
    },
    agree: online,
    advise: () => Promise.resolve([]),
    questions: () => Promise.resolve([]),
    installedAgain: () => [],
    writesBootLoader: () => false,
    install: (plan, stage, _, options) => install(plan, stage.path, options, fault.startsWith('install')),
    heal: (plan, stage, _, options) => install(plan, stage.path, options, fault === 'install-and-heal-fail'),
    async verify() {
      const isThere = (await fs.readFile(database)) === databaseOf('new');
      return isThere ? [] : finding('package-state', 'not every package is new');
    },
    leftovers: () => Promise.resolve([]),
  };
}
