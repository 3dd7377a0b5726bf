/**
 * The boot screen, if one is alive: progress, message and mode by plymouth(1).
 *
 * Never throws and never holds anything up: one process at a time, at least 250 ms apart, and of what piles up meanwhile
 * only the newest of each kind is sent. Whole percents only, and never the same thing twice.
 */
import type { RunCommand } from './command.js';

export type PlymouthMode = 'updates' | 'reboot' | 'shutdown';

export interface Plymouth {
  /** 0 to 100. */
  progress(percent: number): void;
  /** Replaces the message before. Some themes hide messages: say it on the console, too. */
  message(text: string): void;
  mode(mode: PlymouthMode): void;
}

/** Where no plymouth answers, nothing is ever sent. The first question is not waited for. */
export function openPlymouth(run: RunCommand): Plymouth {
  const call = async (args: readonly string[]): Promise<boolean> => {
    try {
      return (await run('plymouth', args, { timeoutSeconds: callTimeoutSeconds })).exitCode === 0;
    } catch {
      return false;
    }
  };
  const answers = call(['--ping']);

  const waiting = new Map<string, string[]>();
  const last = new Map<string, string>();
  let busy = false;

  const sendOn = async (): Promise<void> => {
    busy = true;
    if (!(await answers)) return; // and stay busy for good
    for (let next = takeFirst(waiting); next !== undefined; next = takeFirst(waiting)) {
      const spacing = pause(spacingMilliseconds);
      await call(next);
      await spacing;
    }
    busy = false;
  };
  const send = (kind: string, args: string[]): void => {
    if (last.get(kind) === args.join(' ')) return;
    last.set(kind, args.join(' '));
    waiting.set(kind, args); // keeps the place of an older one that still waits
    if (!busy) void sendOn();
  };

  return {
    progress(percent) {
      const whole = Math.max(0, Math.min(100, Math.floor(percent)));
      send('progress', ['system-update', `--progress=${whole}`]);
    },
    message: (text) => {
      send('message', ['display-message', `--text=${text}`]);
    },
    mode: (mode) => {
      send('mode', ['change-mode', `--${mode}`]);
    },
  };
}

const spacingMilliseconds = 250;
const callTimeoutSeconds = 5;

function takeFirst<V>(map: Map<string, V>): V | undefined {
  for (const [key, value] of map) {
    map.delete(key);
    return value;
  }
  return undefined;
}

/** Does not keep the process alive. */
async function pause(milliseconds: number): Promise<void> {
  await new Promise<void>((resolve) => setTimeout(resolve, milliseconds).unref());
}
