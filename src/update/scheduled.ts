/**
 * When a prepared update is to be installed (`scheduled.json` in the state folder, format 1), and the reboot that was
 * then asked for (`shutdown.json` in the run folder: like the reboot itself it does not outlive the boot,
 * but does outlive a soft-reboot).
 *
 * Errors: `SCHEDULE_INVALID`, `FORMAT_TOO_NEW`.
 */
import * as z from 'zod/mini';
import type { DurableFiles } from '../host/durable-files.js';
import type { FileSystem } from '../host/file-system.js';
import { ifThere } from '../host/if-there.js';
import { parseDocument } from './document.js';
import { actions } from './events.js';
import type { Paths } from './paths.js';
import { UPDATE_ID } from './update-id.js';

export const SCHEDULE_FORMAT = 1;
const time = z.iso.datetime();
const id = z.string().check(z.regex(UPDATE_ID));

export const scheduledSchema = z.strictObject({
  format: z.literal(SCHEDULE_FORMAT),
  id,
  askedAt: time,
  /** The reboot is not before; the checks, and the warning to those who are logged in, come before it. */
  at: time,
  /** Nor after; null: whenever the machine is idle. */
  until: z.nullable(time),
  whenIdle: z.boolean(),
  /** Null: as the plan's policy says. */
  action: z.nullable(z.enum(actions)),
  force: z.boolean(),
  rehearse: z.boolean(),
  /** How long the machine will be away, by the rehearsal; null without one. */
  awaySeconds: z.nullable(z.number().check(z.nonnegative())),
});
export type Scheduled = z.infer<typeof scheduledSchema>;

export const askedShutdownSchema = z.strictObject({
  format: z.literal(SCHEDULE_FORMAT),
  id,
  type: z.enum(['reboot', 'soft-reboot']),
  at: time,
  /**
   * Where logind could not be asked, the service asks for the reboot itself when the time has come; `nobody`: it has done
   * so, and asks once. This file outlives a soft-reboot.
   */
  by: z.enum(['logind', 'service', 'nobody']),
  /** The time for which it was armed: something may still put it off. */
  scheduled: scheduledSchema,
});
export type AskedShutdown = z.infer<typeof askedShutdownSchema>;

/** Undefined when no time is set. */
export function readScheduled(fs: FileSystem, paths: Paths): Promise<Scheduled | undefined> {
  return read(fs, paths.scheduled, scheduledSchema);
}

export async function writeScheduled(files: DurableFiles, paths: Paths, scheduled: Scheduled): Promise<void> {
  await files.replace(paths.scheduled, `${JSON.stringify(scheduled)}\n`, 0o644);
}

export function readAskedShutdown(fs: FileSystem, paths: Paths): Promise<AskedShutdown | undefined> {
  return read(fs, paths.shutdown, askedShutdownSchema);
}

export async function writeAskedShutdown(
  files: DurableFiles,
  paths: Paths,
  asked: AskedShutdown,
): Promise<void> {
  await files.replace(paths.shutdown, `${JSON.stringify(asked)}\n`, 0o644);
}

async function read<T>(fs: FileSystem, path: string, schema: z.ZodMiniType<T>): Promise<T | undefined> {
  const text = await ifThere(fs.readFile(path));
  if (text === undefined) return undefined;
  return parseDocument(text, {
    what: path,
    schema,
    format: SCHEDULE_FORMAT,
    invalid: 'SCHEDULE_INVALID',
    hint: 'offline-update cancel',
  });
}
