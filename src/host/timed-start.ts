/**
 * Starts a service at a time, once: a transient timer of systemd, which follows a clock that is set and does not outlive
 * the boot. Each timer has a name of its own, since one that has just been stopped may still hold its name.
 *
 * Errors: HostError `COMMAND_FAILED`, `COMMAND_NOT_FOUND`.
 */
import type { RunCommand } from './command.js';
import { HostError } from './host-error.js';

/** `name`: with it the names of the timers begin. `description`: what `systemctl list-timers` and the journal say. */
export interface TimedStart {
  name: string;
  service: string;
  description: string;
}

/** A calendar time that has passed when systemd reads it never comes: nearer ones are counted from now. */
const NEAR_SECONDS = 5;

export async function startAt(
  run: RunCommand,
  { name, service, description }: TimedStart,
  at: Date,
  now: Date,
): Promise<void> {
  const seconds = Math.max(1, Math.ceil((at.getTime() - now.getTime()) / 1000));
  const whole = new Date(Math.ceil(at.getTime() / 1000) * 1000);
  const when =
    seconds <= NEAR_SECONDS
      ? `--on-active=${seconds}s`
      : `--on-calendar=${whole.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
  await succeed(run, 'systemd-run', [
    '--quiet',
    `--unit=${name}-${now.getTime().toString(36)}`,
    `--description=${description}`,
    '--collect',
    when,
    '--timer-property=AccuracySec=1s',
    '--timer-property=RemainAfterElapse=no',
    ...['systemctl', 'start', '--no-block', service],
  ]);
}

export async function dropStarts(run: RunCommand, { name }: Pick<TimedStart, 'name'>): Promise<void> {
  await succeed(run, 'systemctl', ['stop', `${name}-*.timer`]);
}

async function succeed(run: RunCommand, file: string, args: readonly string[]): Promise<void> {
  const result = await run(file, args, { timeoutSeconds: 30 });
  if (result.exitCode === 0) return;
  throw new HostError('COMMAND_FAILED', `${file}: ${result.stderr.trim() || 'it failed'}`);
}
