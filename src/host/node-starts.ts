/**
 * The next boot judges the update by a program of Node.js (units/offline-update-confirm.service). An update after which that does
 * not start would have no verdict, and no way back by health. So it is started where something has touched what it is made of
 * since this process began, which itself is the proof of what was there before: Node.js, the program, and what the dynamic
 * loader has put into this process. Debian's Node.js is a library, libnode.
 */
import { readFile, stat } from 'node:fs/promises';
import type { RunCommand } from './command.js';

/** As the units name it. */
const NODE = '/usr/bin/node';

/** A start from a cold disk on the slowest machine. */
const startTimeoutSeconds = 60;

/** A word that is no verb: see update-service/main.ts. Answered with the files of which the process is made, a line each. */
export const refused = { word: 'nothing', exitCode: 3 };

export interface NodeStart {
  run: RunCommand;
  program: string;
  /** Only tests give their own. */
  node?: string;
  libraries?: readonly string[];
}

/**
 * Call it before anything is changed. The answer: why the program does not start; undefined when it does, or when nothing
 * has touched it since it was noted, or last seen to start. So it may be asked again for a few calls of stat(2), also while
 * it has not answered yet: then it looks once more after that.
 */
export function noteNode({
  run,
  program,
  node = NODE,
  libraries,
}: NodeStart): () => Promise<string | undefined> {
  let sound = (async () => identities([node, program, ...(libraries ?? (await loadedFiles()))]))();
  const look = async (): Promise<string | undefined> => {
    const before = await sound;
    const now = identities([...before.keys()]);
    const changed = differences(before, await now);
    if (changed.length === 0) return undefined;
    const trial = await start(run, node, program);
    if ('why' in trial) return `${changed.join(', ')} changed, and ${trial.why}`;
    // Another Node.js may be made of other files. One that does not name them is started again when it is asked for again.
    const { loaded } = trial;
    if (loaded.length > 0 && !loaded.some(isDeleted))
      sound = (async () => new Map([...(await identities(loaded)), ...(await now)]))();
    return undefined;
  };
  let answer: Promise<string | undefined> = Promise.resolve(undefined);
  return () => (answer = answer.then(look, look));
}

async function start(
  run: RunCommand,
  node: string,
  program: string,
): Promise<{ why: string } | { loaded: string[] }> {
  try {
    // Whatever is set here for Node.js is not set where it will start.
    const { exitCode, signal, stdout, stderr } = await run(node, [program, refused.word], {
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
      extendEnv: false,
      timeoutSeconds: startTimeoutSeconds,
    });
    if (exitCode === refused.exitCode)
      return { loaded: stdout.split('\n').filter((line) => line.startsWith('/')) };
    const end = exitCode === undefined ? `was ended by ${signal ?? 'a signal'}` : `ended with ${exitCode}`;
    const [reason = ''] = stderr.split('\n').filter((line) => line.includes('rror'));
    return { why: `the program that confirms ${end}${reason && `: ${reason}`}` };
  } catch (error) {
    return { why: `Node.js does not start: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** The files whose code this process runs, proc_pid_maps(5). None where that cannot be read. */
export async function loadedFiles(): Promise<string[]> {
  const maps = await readFile('/proc/self/maps', 'utf8').catch(() => '');
  const executed = [...maps.matchAll(/^\S+ ..x. \S+ \S+ [1-9]\d* +(\/.*)$/gm)];
  return [...new Set(executed.map(([, path = '']) => path))];
}

/** Its name as proc_pid_maps(5) has it. */
function isDeleted(path: string): boolean {
  return path.endsWith(' (deleted)');
}

async function identities(paths: readonly string[]): Promise<Map<string, string>> {
  return new Map(await Promise.all(paths.map(async (path) => [path, await identity(path)] as const)));
}

function differences(before: Map<string, string>, now: Map<string, string>): string[] {
  return [...before].flatMap(([path, was]) => (now.get(path) === was ? [] : [path]));
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
