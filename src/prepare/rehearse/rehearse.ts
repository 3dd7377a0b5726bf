/**
 * Rehearses a sealed plan: the service bundle installs it on a throw-away copy of the running system, with the very
 * words, hooks and environment of the update boot. The running system is not touched; what was written is gone
 * afterwards, also when this process is killed (on disk: swept by the next rehearsal, or by `clean`).
 *
 * A plan that would fail is no error here: the document says so. Errors: `REHEARSAL_UNAVAILABLE` with the reason, where
 * it cannot be carried out at all.
 */
import { join } from 'node:path';
import type { RunThrowAway } from '../../host/throw-away.js';
import type { Progress } from '../../payloads/payload.js';
import { UpdateError } from '../../update/errors.js';
import type { Plan } from '../../update/plan.js';
import {
  parseRehearsalLine,
  nothingPerformed,
  type Performance,
  type Rehearsal,
  type RehearsalOrder,
} from '../../update/rehearsal.js';
import type { EstimateFacts } from '../estimate.js';
import type { Online } from '../online.js';
import { footprint } from './footprint.js';
import { bytesToWrite, diskRoom, RESERVE_BYTES, roomFor, type Room, type RoomFacts } from './room.js';
import { whyNot } from './why-not.js';

/** What a rehearsal asks of this machine. */
export interface RehearsalMachine {
  /** Why nothing can be rehearsed here at all. */
  obstacle(): string | undefined;
  runThrowAway: RunThrowAway;
  availableMemoryBytes(): Promise<number>;
  freeBytes(path: string): Promise<number>;
  servicesUsing(files: ReadonlySet<string>): Promise<string[]>;
  /** The way back that the update boot will have. */
  fallback(plan: Plan): Promise<ForeseenFallback>;
  /** What an estimate has to know. */
  pace(): Promise<Pick<EstimateFacts, 'syncSeconds' | 'boot' | 'shutdownSeconds'>>;
}

export interface ForeseenFallback {
  keepsOldFiles: boolean;
  /** The old root stays untouched: an install may be made in the order that is quickest. */
  isWhole: boolean;
  sparesSyncs: boolean;
}

export interface SealedPlan {
  plan: Plan;
  planHash: string;
}

type Parts = Pick<Online, 'fs' | 'files' | 'paths' | 'moment'>;

export async function rehearse(
  online: Parts,
  machine: RehearsalMachine,
  { plan, planHash }: SealedPlan,
  on: Progress,
): Promise<Rehearsal> {
  const { fs, files, paths, moment } = online;
  const obstacle = machine.obstacle();
  if (obstacle !== undefined) throw unavailable(obstacle);
  await files.removeTree(paths.rehearsalFolder);
  const facts: RoomFacts = {
    availableMemoryBytes: await machine.availableMemoryBytes(),
    freeDiskBytes: await machine.freeBytes(paths.state),
  };
  const at = moment.now().toISOString();
  const { keepsOldFiles, isWhole } = await machine.fallback(plan);
  const order = { id: plan.id, planHash, revertible: isWhole };
  let room = roomFor(plan.payload, facts);
  if (!room) {
    const needed = Math.ceil(bytesToWrite(plan.payload) / 1024 / 1024);
    throw unavailable(`neither memory nor disk has ${needed} MiB for it`);
  }
  let performed = await perform(online, machine, plan, order, room, on);
  if (performed.isFull && performed.reason && room.storage === 'memory') {
    const onDisk = diskRoom(facts, room.sizeBytes);
    if (onDisk) performed = await perform(online, machine, plan, order, (room = onDisk), on);
  }
  const { phases, conffiles, questions, hooks, notRun, written, reason } = performed;
  const { lacking, ...measured } = await footprint(written, {
    fs,
    freeBytes: (path) => machine.freeBytes(path),
    servicesUsing: (used) => machine.servicesUsing(used),
    keepsOldFiles,
  });
  const why = reason ?? (lacking === undefined ? null : { code: 'NO_SPACE', message: lacking });
  return {
    format: 1,
    id: plan.id,
    at,
    planHash,
    baseFingerprint: plan.payload.baseFingerprint,
    outcome: why ? 'failed' : 'passed',
    reason: why,
    phases,
    conffiles,
    questions,
    hooks,
    notRun,
    ...measured,
    storage: room.storage,
  };
}

const serviceEnvironment = {
  HOME: '/root',
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
};

async function perform(
  { files, paths }: Parts,
  machine: RehearsalMachine,
  { policy }: Plan,
  order: RehearsalOrder,
  { storage, sizeBytes }: Room,
  on: Progress,
): Promise<Performance> {
  const heard: { isReady: boolean; told?: Performance } = { isReady: false };
  const program = [
    process.execPath,
    join(paths.library, 'update-service.cjs'),
    'rehearse',
    JSON.stringify(order),
  ];
  try {
    const end = await machine.runThrowAway(program, {
      script: join(paths.library, 'throw-away-root'),
      sizeBytes,
      ...(storage === 'disk' && { folder: paths.rehearsalFolder }),
      env: serviceEnvironment,
      timeoutSeconds: policy.rehearseTimeoutSeconds,
      onLine(text) {
        const line = parseRehearsalLine(text);
        if (!line) return;
        if ('ready' in line) heard.isReady = true;
        else if ('progress' in line) on(line.progress);
        else heard.told = line.performance;
      },
      async watch() {
        if (storage === 'memory') return undefined;
        const free = await machine.freeBytes(paths.state);
        return free < RESERVE_BYTES / 2 ? 'it was ended before it filled the disk' : undefined;
      },
    });
    if (heard.told) return heard.told;
    if (!heard.isReady) throw unavailable(end.ended ?? whyNot(end));
    const lastWords = end.stderr.split('\n').at(-1) ?? '';
    return broken(end.ended ?? `the program that installs ended by itself${lastWords && `: ${lastWords}`}`);
  } finally {
    if (storage === 'disk') await files.removeTree(paths.rehearsalFolder);
  }
}

/** Begun and never told: over its time, or ended by what it installs. */
function broken(message: string): Performance {
  return nothingPerformed({ code: 'REHEARSAL_CUT_SHORT', message });
}

function unavailable(reason: string): UpdateError {
  return new UpdateError('REHEARSAL_UNAVAILABLE', `the update cannot be rehearsed here: ${reason}`, {
    hint: 'offline-update trigger --no-rehearse',
  });
}
