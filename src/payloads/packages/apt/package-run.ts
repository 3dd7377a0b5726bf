/**
 * One run of apt-get or dpkg in the update boot: watched, logged, its status lines turned into progress and errors.
 * It judges nothing.
 */
import type { StartJob } from '../../../host/job.js';
import { withoutSyncs } from '../../../host/without-syncs.js';
import type { FileSystem } from '../../../host/file-system.js';
import type { InstallOptions, Progress } from '../../payload.js';
import { aptEnvironment } from './apt-environment.js';
import type { InstallProgress } from './install-progress.js';
import { parseStatusLine } from './status-fd.js';
import { terminalLogFromNow } from './terminal-log.js';
import type { WatchedEnd, WatchPorts } from './watched-job.js';
import { watchJob } from './watched-job.js';

export interface RunPorts extends WatchPorts {
  startJob: StartJob;
  files: FileSystem;
}

export interface PackageRun {
  end: WatchedEnd;
  errors: PackageRunError[];
  /** The package that was worked on when it stalled. */
  hung: string | undefined;
  /** The last lines that this run added to the terminal log. */
  output: string[];
}

export interface PackageRunError {
  /** A package name or the path of a .deb. */
  item: string;
  text: string;
}

export interface Tool {
  file: 'apt-get' | 'dpkg';
  args: readonly string[];
}

const statusFd = 9;
/** Nobody sees more than ten steps of progress in a second, and the stall watch counts in minutes. */
const statusEveryMilliseconds = 50;

export async function runPackageTool(
  ports: RunPorts,
  tool: Tool,
  progress: InstallProgress,
  on: Progress,
  options: InstallOptions,
): Promise<PackageRun> {
  const log = await terminalLogFromNow(ports.files, options.terminalLog);
  const isApt = tool.file === 'apt-get';
  const status = isApt ? ['-o', `APT::Status-Fd=${statusFd}`] : ['--status-fd', String(statusFd)];
  const errors: PackageRunError[] = [];
  let current: string | undefined;
  let hung: string | undefined;

  const words = [...status, ...tool.args];
  const { file, args } =
    options.syncs === 'suppressed' ? withoutSyncs(tool.file, words) : { file: tool.file, args: words };
  const job = ports.startJob(file, args, {
    env: aptEnvironment({ policy: options.policy, offline: true }),
    outputFile: options.terminalLog,
    statusFd,
    statusEveryMilliseconds,
  });
  on(progress.begun(tool.file));
  const end = await watchJob(job, ports, {
    stallTimeoutSeconds: options.policy.stallTimeoutSeconds,
    ownLevels: isApt ? 2 : 1,
    onLine(line) {
      const event = parseStatusLine(line);
      if (event?.kind === 'error') errors.push({ item: event.item, text: event.text });
      if (event?.kind === 'progress' && event.item !== 'dpkg-exec') current = event.item;
      const shown = event && progress.see(event);
      if (shown) on(shown);
      return shown?.text ?? line;
    },
    onStall(stall, ended) {
      hung ??= current;
      on({
        ...progress.now(),
        stalled: true,
        text: `Stalled for ${Math.round(stall.seconds)} s, ending the ${ended}`,
      });
    },
  });
  return { end, errors, hung, output: await log.added() };
}
