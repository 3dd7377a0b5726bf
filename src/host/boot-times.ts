/**
 * How long this machine takes to boot and to shut down, by the marks that systemd and its journal keep themselves
 * (org.freedesktop.systemd1(5), *Timestamp; sd-messages.h, SD_MESSAGE_SHUTDOWN). What is not known is undefined.
 */
import type { RunCommand } from './command.js';

export interface BootTimes {
  /** Firmware, boot loader, kernel and initramfs: until systemd runs from the root. */
  beforeUserspaceSeconds: number;
  /** From there until the default target is reached. */
  userspaceSeconds: number;
}

const marks = ['Firmware', 'Kernel', 'Userspace', 'Finish'] as const;

export async function readBootTimes(run: RunCommand): Promise<BootTimes | undefined> {
  const properties = marks.map((name) => `--property=${name}TimestampMonotonic`);
  const { stdout } = await run('systemctl', ['show', ...properties]).catch(() => ({ stdout: '' }));
  return bootTimesOf(stdout);
}

/** Since systemd runs from the root. Not the time of the kernel, which in a container is the host's. */
export async function secondsUp(
  run: RunCommand,
  monotonicSeconds = (): number => Number(process.hrtime.bigint()) / 1e9,
): Promise<number | undefined> {
  const { stdout } = await run('systemctl', ['show', '--property=UserspaceTimestampMonotonic']).catch(() => ({
    stdout: '',
  }));
  const mark = markIn(stdout, 'Userspace');
  return mark === 0 ? undefined : monotonicSeconds() - mark;
}

/** Pure. Microseconds; the firmware's mark counts back from the start of the kernel, whose own is 0. */
export function bootTimesOf(properties: string): BootTimes | undefined {
  const mark = (name: (typeof marks)[number]): number => markIn(properties, name);
  const [firmware, userspace, finish] = [mark('Firmware'), mark('Userspace'), mark('Finish')];
  if (finish === 0 || finish < userspace) return undefined;
  // a container has no kernel of its own: its marks are those of the host's clock
  const isContainer = userspace > containerAfterSeconds && firmware === 0;
  return {
    beforeUserspaceSeconds: isContainer ? 0 : firmware + userspace,
    userspaceSeconds: finish - userspace,
  };
}

/** Seconds; 0 when it was not reached, or is not said. */
function markIn(properties: string, name: (typeof marks)[number]): number {
  const [, text] = new RegExp(`^${name}TimestampMonotonic=(\\d+)$`, 'm').exec(properties) ?? [];
  return Number(text ?? 0) / 1e6;
}

/** No kernel and initramfs take so long. */
const containerAfterSeconds = 300;

const SHUTDOWN_MESSAGE = '98268866d1d54a499c4e98921d93bc40';

/**
 * When the shutdown of that boot was asked for; `boot` is its id, or how many boots ago it was (`-1`). The last one before
 * `until`, since a boot with soft-reboots in it has several.
 */
export async function shutdownAskedAt(
  run: RunCommand,
  boot: string,
  until?: Date,
): Promise<Date | undefined> {
  const before = until ? [`--until=@${(until.getTime() / 1000).toFixed(3)}`] : [];
  const { stdout } = await lastRow(run, boot, ...before, `MESSAGE_ID=${SHUTDOWN_MESSAGE}`);
  return timeOf(stdout);
}

/** Until the journal itself was stopped, nearly the last of all. */
export async function shutdownSeconds(run: RunCommand, boot: string): Promise<number | undefined> {
  const asked = await shutdownAskedAt(run, boot);
  if (!asked) return undefined;
  const { stdout } = await lastRow(run, boot);
  const last = timeOf(stdout);
  return last && (last.getTime() - asked.getTime()) / 1000;
}

async function lastRow(run: RunCommand, boot: string, ...matches: string[]): Promise<{ stdout: string }> {
  // journalctl knows a boot id without its dashes only, and finds nothing otherwise [systemd 257]
  const id = boot.startsWith('-') ? boot : boot.replaceAll('-', '');
  const words = ['--quiet', '--output=json', '--lines=1', `--boot=${id}`, ...matches];
  return run('journalctl', words).catch(() => ({ stdout: '' }));
}

function timeOf(row: string): Date | undefined {
  const [, microseconds] = /"__REALTIME_TIMESTAMP"\s*:\s*"(\d+)"/.exec(row) ?? [];
  return microseconds === undefined ? undefined : new Date(Number(microseconds) / 1000);
}
