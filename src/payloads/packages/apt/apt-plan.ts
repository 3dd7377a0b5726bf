/**
 * What exactly would an update change? apt decides, with the machine's own sources, pins, holds and phasing; we write
 * it down: each package with its versions, architecture, file, size and the SHA-256 of the signed index.
 *
 * Errors: `NOTHING_TO_DO`, `BUSY`, `PLAN_FAILED` with apt's own words, `SOURCE_UNSIGNED`, `SOURCE_WITHOUT_HASH`,
 * `REQUEST_INVALID`.
 */
import { exists } from '../../../host/exists.js';
import { UpdateError } from '../../../update/errors.js';
import type { PackageChange, PackagesPlan } from '../../../update/plan.js';
import { someOf } from '../../../update/some-of.js';
import type { Request } from '../../payload.js';
import { basename, join } from 'node:path';
import { refreshIndexes } from './apt-refresh.js';
import { automaticPackages } from './automatic-packages.js';
import { decisionInputs } from './decision-inputs.js';
import { plannedChanges, wantedChanges } from './planned-changes.js';
import { checkDatabase, nothingToDo, type PlanContext, type PlanningPorts } from './planning.js';
import { printUris, type Downloads } from './print-uris.js';
import { requestWords } from './request-words.js';
import { packageSources, unsignedPackages, withoutPassword, type PackageSource } from './signed-sources.js';

export interface Planned {
  plan: PackagesPlan;
  context: PlanContext;
}

export async function planRequest(ports: PlanningPorts, request: Request): Promise<Planned> {
  const { args, names } = requestWords(request);
  if (request.refresh) {
    await checkDatabase(ports);
    request.signal?.throwIfAborted();
    await refreshIndexes(ports);
  }
  // apt's own account of it is longer than its errors
  const asked = printUris(ports, args, `apt-get --simulate ${args.join(' ')}`);
  asked.catch(() => undefined); // told below
  const isCacheThere = await exists(ports.files, join(ports.root, PACKAGE_CACHE));
  // all at once; but a database that is not in order is told as such, and not as the nonsense apt makes of it
  const facts = Promise.all([
    asked,
    isCacheThere ? packageSources(ports) : asked.then(() => packageSources(ports)),
    ports.database.states(),
    ports.database.fingerprint(),
    automaticPackages(ports.files, ports.root),
    decisionInputs(ports.files, ports.root),
  ]);
  facts.catch(() => undefined); // told below
  await checkDatabase(ports);
  const [downloads, sources, states, baseFingerprint, isAutomatic, inputs] = await facts;
  const wanted = wantedChanges(downloads, states);
  if (wanted.length === 0) throw nothingToDo();
  const requested = new Set(names.flatMap((name) => [name, downloads.selected.get(name) ?? name]));
  const changes = plannedChanges(wanted, { isAutomatic, requested, byFile: downloads.byFile });
  const unsignedSources = await checkSources(ports, request, changes, downloads, sources);
  const { diskBytes } = downloads;
  return {
    plan: { kind: 'packages', manager: 'apt', changes, baseFingerprint, diskBytes, unsignedSources },
    context: { policy: request.policy, uris: urisOf(changes, downloads), inputs },
  };
}

/** Where it is missing (after `apt-get clean`), two runs of apt would each build it, out of all lists. */
const PACKAGE_CACHE = '/var/cache/apt/pkgcache.bin';

/** The sources that only the policy allowed. */
async function checkSources(
  ports: PlanningPorts,
  { policy }: Request,
  changes: readonly PackageChange[],
  downloads: Downloads,
  sources: readonly PackageSource[],
): Promise<string[]> {
  const wanted = changes.flatMap(({ name, file, sha256 }) => {
    const uri = file === null ? undefined : downloads.byFile.get(basename(file))?.uri;
    return uri === undefined ? [] : [{ name, uri, sha256 }];
  });
  const unsigned = await unsignedPackages(ports, sources, wanted);
  const hashless = wanted.filter(({ sha256 }) => sha256 === null);
  const named = [...new Set(unsigned.flatMap((one) => one.sources))];
  if (policy.unsignedSources === 'allow') {
    return [...new Set([...named, ...hashless.map(({ uri }) => sourceOf(uri, sources))])].sort();
  }
  if (unsigned.length > 0) {
    throw new UpdateError(
      'SOURCE_UNSIGNED',
      `the package index of ${named.join(', ')} is not signed, so nothing vouches for ` +
        someOf(unsigned.map(({ name }) => name)),
      { hint: 'sign the repository, or set unsignedSources = "allow" in /etc/offline-update/config.toml' },
    );
  }
  const [first] = hashless;
  if (first) {
    throw new UpdateError(
      'SOURCE_WITHOUT_HASH',
      `${sourceOf(first.uri, sources)} names no SHA-256 for ${someOf(hashless.map(({ name }) => name))}`,
      { hint: 'set unsignedSources = "allow" in /etc/offline-update/config.toml to take them as they come' },
    );
  }
  return [];
}

function sourceOf(uri: string, sources: readonly PackageSource[]): string {
  return sources.find(({ baseUri }) => uri.startsWith(baseUri))?.description ?? withoutPassword(uri);
}

function urisOf(changes: readonly PackageChange[], downloads: Downloads): Map<string, string> {
  const uris = new Map<string, string>();
  for (const { file } of changes) {
    const uri = file === null ? undefined : downloads.byFile.get(basename(file))?.uri;
    if (file !== null && uri !== undefined) uris.set(file, uri);
  }
  return uris;
}
