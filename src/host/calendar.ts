/** Calendar expressions of systemd.time(7), such as `Sat 03:00` or `*-*-01 04:00`, as systemd itself reads them. */
import type { RunCommand } from './command.js';

/** The next time that it names; undefined when it is none, never comes again, or nobody here can read it. */
export async function nextCalendarTime(run: RunCommand, expression: string): Promise<Date | undefined> {
  const args = ['calendar', '--iterations=1', '--', expression];
  const result = await run('systemd-analyze', args, { env: { LC_ALL: 'C' }, timeoutSeconds: 10 }).catch(
    () => undefined,
  );
  if (result?.exitCode !== 0) return undefined;
  // Where the zone is UTC there is no line of its own for it.
  const inUtc = /^ *\(in UTC\): \w+ (.+) UTC$/m.exec(result.stdout);
  const elapse = inUtc ?? /^ *Next elapse: \w+ (.+) UTC$/m.exec(result.stdout);
  return elapse ? new Date(`${(elapse[1] ?? '').replace(' ', 'T')}Z`) : undefined;
}
