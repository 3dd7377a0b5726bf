import { setTimeout as pause } from 'node:timers/promises';
import type { Container, ContainerOptions } from './container.js';
import { monotonicSeconds } from './container.js';

/**
 * How a boot ended. `up`: not at all, it has reached multi-user.target and has nothing more to start; `maintenance`: not at all,
 * it is in rescue or emergency mode; `killed`: by the test; `crashed`: nspawn ended in no known way.
 */
export type BootEnd = 'up' | 'maintenance' | 'reboot' | 'poweroff' | 'killed' | 'timeout' | 'crashed';

export interface BootRecord {
  ended: BootEnd;
  seconds: number;
  /** The lines of the console, without control sequences. */
  console: readonly string[];
  /** How often systemd started again inside this boot (`systemctl soft-reboot`). */
  softReboots: number;
  /** Start of the boot on the monotonic clock; journal rows of the boot have the same clock. */
  startedSeconds: number;
  /** What `systemctl is-system-running` said when it ended as `up` or `maintenance`. */
  systemState?: string;
}

/** SIGKILL to the container at the first line that matches, in a file inside it, or without `file` on the console. */
export interface KillPoint {
  file?: string;
  match: RegExp | ((line: string) => boolean);
}

export interface BootOptions extends ContainerOptions {
  /** Default 60. The container is killed then, and the boot has `ended: 'timeout'`. */
  timeoutSeconds?: number;
  killWhen?: KillPoint;
  onConsole?: (line: string) => void;
  /** Runs beside the boot, for instance to wait for a line and then kill one process. When it throws, the boot is killed. */
  during?: (container: Container) => Promise<unknown>;
}

const defaultTimeoutSeconds = 60;
const rebootStatus = 133;
const pollMilliseconds = 20;
const upTargets = /Reached target (multi-user|rescue|emergency)\.target/;

/** Watches a boot to its end, or, with `untilUp`, until it is up; then the container goes on. */
export async function watchBoot(
  container: Container,
  options: BootOptions,
  untilUp: boolean,
): Promise<BootRecord> {
  let up: string | undefined;
  let timedOut = false;
  const timeout = setTimeout(
    () => {
      timedOut = true;
      container.kill();
    },
    (options.timeoutSeconds ?? defaultTimeoutSeconds) * 1000,
  );
  const accompany = accompanied(container, options);
  try {
    const ended = container.exited.then(() => undefined);
    up = await Promise.race([ended, accompany, ...(untilUp ? [waitUntilUp(container)] : [])]);
    if (up === undefined) await container.exited;
  } finally {
    clearTimeout(timeout);
  }
  const status = up === undefined ? await container.exited : undefined;
  const end = (): BootEnd => {
    if (up !== undefined) return up === 'maintenance' ? 'maintenance' : 'up';
    if (timedOut) return 'timeout';
    if (container.killed) return 'killed';
    if (status === rebootStatus) return 'reboot';
    return status === 0 ? 'poweroff' : 'crashed';
  };
  return {
    ended: end(),
    seconds: monotonicSeconds() - container.startedSeconds,
    console: container.console,
    softReboots: Math.max(0, container.console.filter((line) => line.startsWith('Welcome to ')).length - 1),
    startedSeconds: container.startedSeconds,
    ...(up !== undefined && { systemState: up }),
  };
}

/** Never fulfilled; rejected when `during` fails. */
function accompanied(container: Container, options: BootOptions): Promise<never> {
  const { killWhen, during, onConsole } = options;
  if (onConsole) {
    void container.waitForConsole((line) => {
      onConsole(line);
      return false;
    });
  }
  if (killWhen) {
    const { file, match } = killWhen;
    const matches = typeof match === 'function' ? match : (line: string) => match.test(line);
    const seen =
      file === undefined ? container.waitForConsole(matches) : container.waitForLine(file, matches);
    void seen.then((line) => {
      if (line !== undefined) container.kill();
    });
  }
  return new Promise((_resolve, reject) => {
    during?.(container).catch((error: unknown) => {
      container.kill();
      reject(error instanceof Error ? error : new Error(String(error)));
    });
  });
}

/** The state of a system that is up or in maintenance; undefined when it ended before. */
async function waitUntilUp(container: Container, timeoutSeconds = 86400): Promise<string | undefined> {
  const ask = async (...args: string[]) => {
    const output = await container
      .exec(['systemctl', ...args], { check: false, timeoutSeconds })
      .catch(() => undefined);
    return output?.stdout.trim() ?? '';
  };
  // Before that, nothing of ours runs in the container: an update boot is as it would be without us.
  await container.waitForConsole((line) => upTargets.test(line));
  for (;;) {
    const state = await ask('is-system-running', '--wait');
    if (state === 'maintenance') return state;
    const settled = state === 'running' || state === 'degraded';
    if (settled && (await ask('is-active', 'multi-user.target')) === 'active') return state;
    const ended = container.exited.then(() => true);
    if (await Promise.race([ended, pause(pollMilliseconds, false)])) return undefined;
  }
}
