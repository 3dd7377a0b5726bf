/**
 * The download by apt itself, with its own methods, proxies and unprivileged user: `apt-get --download-only` of exactly
 * the planned versions, into the stage. apt checks each file against its index as it comes.
 *
 * SIGINT, SIGTERM and SIGHUP end it at once; the half files stay in `packages/partial` for the next run.
 *
 * Errors: `DOWNLOAD_FAILED`, `HASH_MISMATCH`, `BUSY`.
 */
import { join } from 'node:path';
import type { Job } from '../../../host/job.js';
import { endProcessTree } from '../../../host/process-tree.js';
import { UpdateError } from '../../../update/errors.js';
import { stageLayout } from '../../../update/paths.js';
import type { PackagesPlan } from '../../../update/plan.js';
import type { Policy } from '../../../update/policy.js';
import type { Progress, Stage } from '../../payload.js';
import { packageWord } from './apt-arguments.js';
import { aptEnvironment } from './apt-environment.js';
import { aptError } from './apt-error.js';
import type { DownloadProgress } from './download-progress.js';
import type { PlanningPorts } from './planning.js';
import { proxySettings } from './proxy-settings.js';

const statusFd = 9;
const endGraceSeconds = 5;
const resumes = 'offline-update prepare, which goes on with what is there';

export async function downloadPackages(
  { startJob, files }: Pick<PlanningPorts, 'startJob' | 'files'>,
  plan: PackagesPlan,
  stage: Stage,
  policy: Policy,
  progress: DownloadProgress,
  on: Progress,
  signal?: AbortSignal,
): Promise<void> {
  const outputFile = join(stage.path, 'download.log');
  await files.removeTree(outputFile);
  signal?.throwIfAborted();
  const job = startJob('apt-get', downloadArguments(plan, stage, policy), {
    env: { ...aptEnvironment(), ...proxySettings(process.env) },
    outputFile,
    statusFd,
  });
  const interruption = endOnSignal(job);
  try {
    for await (const line of job.statusLines) {
      const event = progress.see(line);
      if (event) on(event);
    }
    const { exitCode, signal } = await job.exited;
    if (interruption.signal !== undefined) {
      throw new UpdateError('DOWNLOAD_FAILED', `interrupted by ${interruption.signal}`, { hint: resumes });
    }
    if (exitCode === 0) return;
    const output = await files.readFile(outputFile);
    throw downloadError(signal === undefined ? output : `${output}\nE: apt-get was ended by ${signal}`);
  } finally {
    interruption.ignore();
    await files.removeTree(outputFile);
  }
}

/** All of the plan, not only what is missing: a part of it might not fit to the rest of the machine. */
function downloadArguments(plan: PackagesPlan, stage: Stage, policy: Policy): string[] {
  const allow = policy.unsignedSources === 'allow' ? 'true' : 'false';
  const settings = [
    `APT::Status-Fd=${statusFd}`,
    `Dir::Cache::Archives=${join(stage.path, stageLayout.packages)}/`,
    `APT::Get::AllowUnauthenticated=${allow}`,
    // the plan has decided all of this
    'APT::Get::allow-downgrades=true',
    'APT::Get::Always-Include-Phased-Updates=true',
    'APT::Install-Recommends=false',
    'APT::Install-Suggests=false',
    'APT::Get::AutomaticRemove=false',
    'DPkg::Lock::Timeout=0',
  ];
  return [
    '-q',
    '-y',
    '--download-only',
    ...settings.flatMap((one) => ['-o', one]),
    'install',
    ...plan.changes.map(packageWord),
  ];
}

function downloadError(output: string): UpdateError {
  const mismatch = output.includes('Hash Sum mismatch');
  return aptError(mismatch ? 'HASH_MISMATCH' : 'DOWNLOAD_FAILED', 'the download failed', output, resumes);
}

/** apt leads a session of its own, so a Ctrl-C reaches us alone. */
function endOnSignal(job: Job): { readonly signal: string | undefined; ignore(): void } {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  let seen: string | undefined;
  const end = (signal: NodeJS.Signals): void => {
    if (seen !== undefined) return; // the command passes it on to itself once more
    seen = signal;
    void endProcessTree(job.pid, endGraceSeconds);
  };
  for (const signal of signals) process.on(signal, end);
  return {
    get signal() {
      return seen;
    },
    ignore() {
      for (const signal of signals) process.off(signal, end);
    },
  };
}
