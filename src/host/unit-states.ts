/**
 * What every unit that systemd has in memory is doing, by `systemctl`: it speaks to PID 1 by a socket of its own, so the
 * answer comes also while the bus is what failed.
 *
 * Errors: `COMMAND_NOT_FOUND`, `COMMAND_FAILED`.
 */
import type { RunCommand } from './command.js';
import { HostError } from './host-error.js';

export interface UnitState {
  /** The unit's own name first, its aliases (`default.target`) after it. */
  names: string[];
  /** `active`, `inactive`, `failed`, `activating`, `deactivating`, `reloading`, `maintenance`. */
  active: string;
  /** Depends on the kind of unit: `running`, `auto-restart`, ... */
  sub: string;
  /** How often systemd has started it again by itself; 0 for all but services. */
  restarts: number;
  /** On the monotonic clock; undefined when it never was active. */
  activeSinceSeconds: number | undefined;
  /** Made by a call (systemd-run, a login session), not by a file. */
  isTransient: boolean;
  /** What systemd still has to do with it: at work, or waiting for other units. */
  job: 'running' | 'waiting' | undefined;
}

const properties = ['Names', 'Id', 'ActiveState', 'SubState', 'NRestarts', 'Transient'];
const since = 'ActiveEnterTimestampMonotonic';

export async function readUnitStates(run: RunCommand): Promise<UnitState[]> {
  const ask = async (...args: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await run('systemctl', args, { timeoutSeconds: 30 });
    if (exitCode === 0) return stdout;
    throw new HostError('COMMAND_FAILED', `systemctl ${args[0] ?? ''} failed: ${stderr}`);
  };
  const [units, jobs] = await Promise.all([
    ask('show', `--property=${[...properties, since].join(',')}`, '*'),
    ask('list-jobs', '--no-legend', '--plain', '--full'),
  ]);
  return parseUnitStates(units, jobs);
}

/** `units`: blocks of `Name=value` lines with a blank line between them; `jobs`: lines `ID UNIT TYPE STATE`. */
export function parseUnitStates(units: string, jobs: string): UnitState[] {
  const states = new Map(
    jobs.split('\n').map((line) => {
      const [, unit, , state] = line.trim().split(/\s+/);
      return [unit, state];
    }),
  );
  return units.split(/\n\n+/).flatMap((block) => {
    const value = new Map(
      block.split('\n').map((line) => {
        const at = line.indexOf('=');
        return [line.slice(0, at), line.slice(at + 1)];
      }),
    );
    const id = value.get('Id');
    if (!id) return [];
    const names = (value.get('Names') ?? '').split(' ').filter((name) => name !== id && name !== '');
    const microseconds = Number(value.get(since) ?? 0);
    return [
      {
        names: [id, ...names],
        active: value.get('ActiveState') ?? '',
        sub: value.get('SubState') ?? '',
        restarts: Number(value.get('NRestarts') ?? 0),
        activeSinceSeconds: microseconds === 0 ? undefined : microseconds / 1e6,
        isTransient: value.get('Transient') === 'yes',
        job: jobOf(states.get(id)),
      },
    ];
  });
}

function jobOf(state: string | undefined): UnitState['job'] {
  return state === 'running' || state === 'waiting' ? state : undefined;
}

/** `running`, `degraded`, `starting`, `maintenance` (rescue and emergency mode), `stopping`, ... */
export async function readSystemState(run: RunCommand): Promise<string> {
  const { stdout } = await run('systemctl', ['is-system-running'], { timeoutSeconds: 30 });
  return stdout.trim();
}
