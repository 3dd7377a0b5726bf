/**
 * The next boot judges the update by a program of Node.js (units/offline-update-confirm.service). An update after which that does
 * not start would have no verdict, and no way back by health. So it is started where something has touched it since this
 * process began, which itself is the proof of what was there before.
 */
import { stat } from 'node:fs/promises';
import type { RunCommand } from './command.js';

/** As the units name it. */
const NODE = '/usr/bin/node';

/** A start from a cold disk on the slowest machine. */
const startTimeoutSeconds = 60;

/** A word that is no verb: see update-service/main.ts. */
const refused = { word: 'nothing', exitCode: 3 };

export interface NodeStart {
  run: RunCommand;
  program: string;
  /** Only tests give their own. */
  node?: string;
}

/**
 * Call it before anything is changed. The answer: why the program does not start; undefined when it does, or when nothing
 * has touched Node.js.
 */
export function noteNode({ run, program, node = NODE }: NodeStart): () => Promise<string | undefined> {
  const before = identity(node);
  return async () => {
    if ((await identity(node)) === (await before)) return undefined;
    try {
      // Whatever is set here for Node.js is not set where it will start.
      const { exitCode, signal, stderr } = await run(node, [program, refused.word], {
        env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
        extendEnv: false,
        timeoutSeconds: startTimeoutSeconds,
      });
      if (exitCode === refused.exitCode) return undefined;
      const end = exitCode === undefined ? `was ended by ${signal ?? 'a signal'}` : `ended with ${exitCode}`;
      const [reason = ''] = stderr.split('\n').filter((line) => line.includes('rror'));
      return `${node} was changed, and the program that confirms ${end}${reason && `: ${reason}`}`;
    } catch (error) {
      return `${node} was changed, and does not start: ${error instanceof Error ? error.message : String(error)}`;
    }
  };
}

/** The mode is changed with the ctime. */
async function identity(path: string): Promise<string> {
  try {
    const { dev, ino, size, ctimeNs } = await stat(path, { bigint: true });
    return `${dev} ${ino} ${size} ${ctimeNs}`;
  } catch (error) {
    return String(error);
  }
}
