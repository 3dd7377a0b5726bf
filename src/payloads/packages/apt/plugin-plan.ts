/**
 * The plan of a package manager's plugin: what it listed, no more and no less. apt is asked what installing exactly
 * these files would do, with the frozen lists as all it knows; a package that the list forgot is an error.
 *
 * Errors: `REQUEST_INVALID`, `HASH_MISMATCH`, `NOTHING_TO_DO`, `BUSY`, `PLAN_FAILED` when the database is not in order.
 */
import { join } from 'node:path';
import { UpdateError } from '../../../update/errors.js';
import { stageLayout } from '../../../update/paths.js';
import type { PackagesPlan } from '../../../update/plan.js';
import type { Policy } from '../../../update/policy.js';
import type { Stage } from '../../payload.js';
import { installArguments } from './apt-arguments.js';
import type { Planned } from './apt-plan.js';
import {
  described,
  differences,
  inShort,
  simulatePlan,
  stageOptions,
  type SimulatedChange,
} from './apt-simulate.js';
import { settingsAsDecided } from './as-decided.js';
import { automaticPackages } from './automatic-packages.js';
import { asInDatabase } from './debian-version.js';
import { decisionInputs } from './decision-inputs.js';
import type { PackageState } from './dpkg-database.js';
import { writeFrozenLists } from './frozen-lists.js';
import { installedAs, plannedChanges, type WantedChange } from './planned-changes.js';
import { checkDatabase, nothingToDo, type PlanningPorts } from './planning.js';
import { takePluginFiles } from './plugin-files.js';
import type { PluginRequest } from './plugin-schema.js';
import { printUris } from './print-uris.js';

export async function planPluginRequest(
  ports: PlanningPorts,
  request: PluginRequest,
  stage: Stage,
  policy: Policy,
): Promise<Planned> {
  await checkDatabase(ports);
  const [{ downloads, stanzas }, states, baseFingerprint, isAutomatic, inputs, asDecided] = await Promise.all(
    [
      takePluginFiles(ports, request, stage),
      ports.database.states(),
      ports.database.fingerprint(),
      automaticPackages(ports.files, ports.root),
      decisionInputs(ports.files, ports.root),
      settingsAsDecided(ports),
    ],
  );
  const changes = plannedChanges(requestedChanges(request, states), {
    isAutomatic,
    requested: new Set(request.packages.flatMap((one) => (one.automatic === true ? [] : [one.name]))),
    byFile: downloads,
  });
  if (changes.length === 0) throw nothingToDo();
  const plan: PackagesPlan = {
    kind: 'packages',
    manager: 'apt',
    changes,
    baseFingerprint,
    diskBytes: 0,
    unsignedSources: [],
  };
  await writeFrozenLists(ports, plan, stage, { stanzas, asDecided, policy });
  await checkComplete(ports, plan, stage);
  const { diskBytes } = await printUris(ports, [
    ...installArguments(plan, stage),
    ...stageOptions(stage),
    ...['-o', 'APT::Get::Download=true'], // it only names them
  ]);
  const uris = new Map([...downloads].map(([file, { uri }]) => [join(stageLayout.packages, file), uri]));
  return { plan: { ...plan, diskBytes }, context: { policy, uris, inputs, stanzas } };
}

/** As the plugin has it; what is installed at that version, or not there to be removed, is no change. */
function requestedChanges(
  { packages, remove = [] }: PluginRequest,
  states: ReadonlyMap<string, PackageState>,
): WantedChange[] {
  const brought = packages.flatMap(({ name, architecture, version }) => {
    const before = installedAs(name, architecture, states);
    if (before?.architecture === architecture && before.version === asInDatabase(version)) return [];
    return [{ name, architecture, from: before?.version ?? null, to: version }];
  });
  const gone = remove.flatMap(({ name, architecture }) => {
    const before = installedAs(name, architecture, states);
    if (before?.architecture !== architecture) return [];
    return [{ name, architecture, from: before.version, to: null }];
  });
  return [...brought, ...gone];
}

async function checkComplete(ports: PlanningPorts, plan: PackagesPlan, stage: Stage): Promise<void> {
  let simulated: SimulatedChange[];
  try {
    simulated = await simulatePlan(ports, plan, stage);
  } catch (error) {
    if (!(error instanceof UpdateError) || error.code !== 'PLAN_FAILED') throw error;
    throw new UpdateError('REQUEST_INVALID', `the packages do not fit: ${error.message}`, { cause: error });
  }
  const differing = differences(plan, simulated);
  if (differing.length === 0) return;
  throw new UpdateError(
    'REQUEST_INVALID',
    `the request lists ${inShort(plan.changes.map(described))}; ${inShort(differing)}`,
  );
}
