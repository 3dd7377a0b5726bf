/** Times commands inside a machine that is up, so that the way into it is not measured. */
import type { Machine } from '../test/laboratory/laboratory.js';

/** Seconds of one run of a command line. Throws when it fails. */
export async function secondsOf(machine: Machine, line: string, timeoutSeconds?: number): Promise<number> {
  const timed = `begin=$(date +%s%N); { ${line}; } >/dev/null 2>/srv/bench.stderr </dev/null || exit 1; echo $(($(date +%s%N) - begin))`;
  const { stdout, exitCode } = await machine.exec(timed, {
    check: false,
    ...(timeoutSeconds !== undefined && { timeoutSeconds }),
  });
  if (exitCode !== 0) throw new Error(`${line} failed: ${await machine.read('/srv/bench.stderr')}`);
  return Number(stdout) / 1e9;
}

interface HyperfineResult {
  results: { times: number[] }[];
}

/**
 * Milliseconds of each run of each command, by hyperfine without a shell. The commands take turns in rounds of `runs`.
 */
export async function hyperfine(
  machine: Machine,
  lines: readonly string[],
  { runs, rounds, prepare }: { runs: number; rounds: number; prepare?: string },
): Promise<number[][]> {
  const all = lines.map((): number[] => []);
  const own = ['hyperfine', '--shell=none', '--warmup=5', `--runs=${runs}`, '--export-json=/srv/bench.json'];
  if (prepare !== undefined) own.push(`--prepare=${prepare}`);
  for (let round = 0; round < rounds; round += 1) {
    await machine.exec([...own, ...lines]);
    const { results } = JSON.parse(await machine.read('/srv/bench.json')) as HyperfineResult;
    for (const [at, { times }] of results.entries()) all[at]?.push(...times.map((seconds) => seconds * 1000));
  }
  return all;
}
