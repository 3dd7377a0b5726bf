/**
 * Runs a program on a throw-away copy of the running system: an overlay of its root in namespaces of its own, without
 * network, devices and the capabilities that reach the kernel (units/throw-away-root). Nothing of it outlives the call:
 * mounts and processes belong to the namespaces, which end with their first process, and that ends with us.
 *
 * What it writes lies in memory, at most `sizeBytes`, or on disk in `folder`, which the caller removes.
 *
 * Errors: `COMMAND_NOT_FOUND` when util-linux is not there; all else is told in the result.
 */
import { spawn } from 'node:child_process';
import { readFile, stat, statfs } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { HostError } from './host-error.js';
import { readMounts } from './mounts.js';
import { endProcessTree } from './process-tree.js';
import { isLookedInto, throwAwayMounts, type ThrowAwayMount } from './throw-away-mounts.js';

export interface ThrowAwayOptions {
  /** The script, units/throw-away-root. */
  script: string;
  sizeBytes: number;
  folder?: string;
  /** The whole environment of the program. */
  env: Record<string, string>;
  timeoutSeconds: number;
  /** Each line of the standard output. */
  onLine: (line: string) => void;
  /** Looked at each second; a reason ends all. */
  watch?: () => Promise<string | undefined>;
}

export interface ThrowAwayEnd {
  /** 125: the copy could not be made. Undefined when it was ended by a signal. */
  exitCode: number | undefined;
  stderr: string;
  /** Why we ended it; undefined when it ended by itself. */
  ended: string | undefined;
}

export type RunThrowAway = (command: readonly string[], options: ThrowAwayOptions) => Promise<ThrowAwayEnd>;

const stderrLimitCharacters = 8000;
const watchMilliseconds = 1000;
const graceSeconds = 1;
/** Of CPU and disk it gets what the running system leaves. */
const modest = ['nice', '-n', '10', 'ionice', '-c', 'idle'];
const namespaces = ['--mount', '--pid', '--fork', '--kill-child=KILL', '--net', '--uts', '--ipc', '--cgroup'];

export const runThrowAway: RunThrowAway = async (command, options) => {
  const mounts = [...(await mountsNow()), ...(await socketsNow())];
  const words = mounts.flatMap(({ how, path }) => [how, path]);
  const script = [options.script, String(options.sizeBytes), options.folder ?? '-', ...words];
  const unshare = ['unshare', ...namespaces, '--', ...modest, ...script, '--', ...command];
  // should we be killed, unshare is killed by the kernel, and with it everything in the namespaces
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...unshare], {
    env: options.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const exited = new Promise<number | undefined>((resolve, reject) => {
    child.once('error', (cause) => {
      reject(new HostError('COMMAND_NOT_FOUND', `cannot run setpriv: ${cause.message}`, { cause }));
    });
    child.once('close', (code) => {
      resolve(code ?? undefined);
    });
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-stderrLimitCharacters);
  });
  createInterface({ input: child.stdout }).on('line', options.onLine);

  let ended: string | undefined;
  const end = (why: string): void => {
    if (ended !== undefined || child.pid === undefined) return;
    ended = why;
    void endProcessTree(child.pid, graceSeconds);
  };
  const timer = setTimeout(() => {
    end(`it was ended after ${options.timeoutSeconds} s`);
  }, options.timeoutSeconds * 1000);
  const watching = setInterval(() => {
    void options.watch?.().then((why) => {
      if (why !== undefined) end(why);
    });
  }, watchMilliseconds);
  try {
    const exitCode = await exited;
    return { exitCode, stderr: stderr.trim(), ended };
  } finally {
    clearTimeout(timer);
    clearInterval(watching);
  }
};

async function mountsNow(): Promise<ThrowAwayMount[]> {
  const mounts = await readMounts();
  // a network file system whose server is gone must not hold us: its kind is enough to leave it out
  const facts = mounts.filter(isLookedInto).map(async ({ target, type }) => {
    const seen = await stat(target).catch(() => undefined);
    if (!seen) return [];
    return [{ target, type, isFolder: seen.isDirectory(), usedBytes: await usedBytes(target) }];
  });
  return throwAwayMounts((await Promise.all(facts)).flat());
}

async function usedBytes(path: string): Promise<number> {
  const { blocks, bfree, bsize } = await statfs(path);
  return (blocks - bfree) * bsize;
}

/**
 * Sockets on disk lead to services of the real system, even through an overlay. (Abstract ones belong to the network
 * namespace, those in /run and /tmp are not seen.) Column 8 of /proc/net/unix.
 */
async function socketsNow(): Promise<{ how: 'hide'; path: string }[]> {
  const table = await readFile('/proc/net/unix', 'utf8').catch(() => '');
  const paths = table.split('\n').flatMap((line) => / (\/.*)$/.exec(line)?.[1] ?? []);
  const reachable = paths.filter((path) => !/^\/(?:run|dev|proc|sys|tmp|var\/run)\//.test(path));
  return [...new Set(reachable)].map((path) => ({ how: 'hide', path }));
}
