/**
 * The next boot judges the update by a program of Node.js (units/offline-update-confirm.service). An update after which that does
 * not start would have no verdict, and no way back by health. So it is started where something has touched it since this
 * process began, which itself is the proof of what was there before. Debian's program is a launcher of some kilobytes: Node.js
 * itself, and what else an update can break it with, are the libraries that this process has mapped.
 */
import { readFile, stat } from 'node:fs/promises';
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
  /** Only tests give their own, and a table as of proc_pid_maps(5). */
  node?: string;
  maps?: string;
}

/**
 * Call it before anything is changed. The answer: why the program does not start; undefined when it does, or when nothing
 * has touched Node.js.
 */
export function noteNode({
  run,
  program,
  node = NODE,
  maps = '/proc/self/maps',
}: NodeStart): () => Promise<string | undefined> {
  const before = filesOf(node, maps).then((files) => Promise.all(files.map(noted)));
  return async () => {
    const files = await before;
    const now = await Promise.all(files.map(({ path }) => noted(path)));
    const changed = files.filter((file, index) => file.identity !== now[index]?.identity);
    if (changed.length === 0) return undefined;
    const told = `${changed.map(({ path }) => path).join(', ')} was changed, and`;
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
      return `${told} the program that confirms ${end}${reason && `: ${reason}`}`;
    } catch (error) {
      return `${told} Node.js does not start: ${error instanceof Error ? error.message : String(error)}`;
    }
  };
}

/** The program first, then what is mapped to be executed. */
async function filesOf(node: string, maps: string): Promise<string[]> {
  const table = await readFile(maps, 'utf8').catch(() => '');
  const mapped = [...table.matchAll(/^\S+ ..x. \S+ \S+ \d+ +(\/.+)$/gm)].map(([, path = '']) => path);
  return [...new Set([node, ...mapped])];
}

async function noted(path: string): Promise<{ path: string; identity: string }> {
  return { path, identity: await identity(path) };
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
