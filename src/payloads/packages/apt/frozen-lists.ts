/**
 * A package index of exactly the planned packages, written into the stage. apt in the update boot parses nothing else
 * (milliseconds instead of seconds) and cannot choose anything but what was sealed, whatever the machine's own lists
 * say by then.
 *
 * The stanzas are those of the signed index (or, for a plugin's files, the packages' own control data); only where
 * the file lies, its size and its hash are set by the plan.
 *
 * Errors: `PLAN_FAILED` when the index has no such package any more.
 */
import { basename, join } from 'node:path';
import type { RunCommand } from '../../../host/command.js';
import type { FileSystem } from '../../../host/file-system.js';
import { UpdateError } from '../../../update/errors.js';
import { stageLayout } from '../../../update/paths.js';
import type { PackageChange, PackagesPlan } from '../../../update/plan.js';
import type { Policy } from '../../../update/policy.js';
import type { Stage } from '../../payload.js';
import { aptConfiguration, sourcesList, stagedConfig } from './apt-config.js';
import { aptEnvironment } from './apt-environment.js';
import { aptError } from './apt-error.js';
import { field, parseStanzas, type Stanza } from './control-stanzas.js';

/** From apt's own lists, all by one call. */
export async function stanzasFromIndex(
  { runCommand }: { runCommand: RunCommand },
  plan: PackagesPlan,
): Promise<Stanza[]> {
  const words = plan.changes.flatMap(({ name, architecture, to }) =>
    to === null ? [] : [`${name}:${architecture}=${to}`],
  );
  if (words.length === 0) return [];
  const result = await runCommand('apt-cache', ['show', ...words], {
    env: aptEnvironment(),
    extendEnv: false,
  });
  if (result.exitCode !== 0) throw aptError('PLAN_FAILED', 'apt-cache show failed', result.stderr);
  return parseStanzas(result.stdout);
}

export interface FrozenFacts {
  stanzas: readonly Stanza[];
  /** Of `settingsAsDecided`. */
  asDecided: string | undefined;
  policy: Policy;
}

/** Lists, sources.list and apt.conf; what an earlier run left of them is replaced. */
export async function writeFrozenLists(
  { files }: { files: FileSystem },
  plan: PackagesPlan,
  stage: Stage,
  { stanzas, asDecided, policy }: FrozenFacts,
): Promise<void> {
  const index = frozenIndex(plan, stanzas);
  const lists = join(stage.path, stageLayout.lists);
  await files.removeTree(lists);
  await files.makeFolder(lists, 0o755);
  const texts = [
    [stagedConfig.index, index],
    [stagedConfig.sources, sourcesList()],
    [stagedConfig.configuration, aptConfiguration(plan, policy)],
    [stagedConfig.asDecided, asDecided],
  ] as const;
  for (const [name, text] of texts) {
    const path = join(stage.path, name);
    await files.removeTree(path);
    if (text !== undefined) await files.createFile(path, text, 0o644);
  }
}

/** The text of the index, in the order of the plan. Pure. */
export function frozenIndex(plan: PackagesPlan, stanzas: readonly Stanza[]): string {
  const byPackage = new Map<string, Stanza[]>();
  for (const stanza of stanzas) {
    const key = identityOf(stanza);
    byPackage.set(key, [...(byPackage.get(key) ?? []), stanza]);
  }
  return plan.changes
    .filter((change) => change.to !== null)
    .map((change) => {
      const candidates = byPackage.get(identity(change.name, change.architecture, change.to ?? '')) ?? [];
      return frozenStanza(change, chosen(change, candidates));
    })
    .join('\n');
}

/** Two sources may offer the same version with different content: the hash decides. */
function chosen(change: PackageChange, candidates: readonly Stanza[]): Stanza {
  const stanza = candidates.find((one) => {
    const sha256 = field(one, 'SHA256');
    return change.sha256 === null || sha256 === undefined || sha256 === change.sha256;
  });
  if (stanza) return stanza;
  throw new UpdateError(
    'PLAN_FAILED',
    `${change.name} ${change.to ?? ''} is no longer in the package index`,
    {
      hint: 'offline-update prepare --refresh',
    },
  );
}

/** Left out: what apt does not need to install a package, and what we set ourselves. */
const dropped = /^(?:Description.*|Tag|Homepage|MD5sum|SHA\d+|Size|Filename|Status|Conffiles)$/i;

function frozenStanza(change: PackageChange, stanza: Stanza): string {
  const kept = stanza.filter(([name]) => !dropped.test(name));
  // of the file as it lies in the stage: by its size apt knows that it is there
  const { sizeBytes, sha256 } = change.recompressed ?? change;
  const own: Stanza = [
    ['Filename', `./${basename(change.file ?? '')}`],
    ['Size', String(sizeBytes)],
    ...(sha256 === null ? [] : [['SHA256', sha256] as [string, string]]),
  ];
  return [...kept, ...own].map(([name, value]) => `${name}: ${value}\n`).join('');
}

/** What the packages say to unpack to, in bytes (Installed-Size); undefined for one that does not say it. */
export function installedSizes(
  stanzas: readonly Stanza[],
): (change: Pick<PackageChange, 'name' | 'architecture' | 'to'>) => number | undefined {
  const sizes = new Map(
    stanzas.map((stanza) => [identityOf(stanza), Number(field(stanza, 'Installed-Size') ?? NaN) * 1024]),
  );
  return ({ name, architecture, to }) => {
    const size = sizes.get(identity(name, architecture, to ?? ''));
    return Number.isFinite(size) ? size : undefined;
  };
}

function identityOf(stanza: Stanza): string {
  return identity(field(stanza, 'Package'), field(stanza, 'Architecture'), field(stanza, 'Version'));
}

function identity(name = '', architecture = '', version = ''): string {
  return `${name} ${architecture} ${version}`;
}
