/**
 * The administrator's policy: `/etc/offline-update/config.toml`, then `config.d/*.toml` in byte order, later files
 * win key by key. An unknown key is an error, since a misspelt safety setting must not pass in silence; so is a file that is
 * named there and is none, such as a link to nothing.
 */
import * as z from 'zod/mini';
import { parse as parseToml } from 'smol-toml';
import { join } from 'node:path';
import type { FileSystem } from '../host/file-system.js';
import { isErrno } from '../host/host-error.js';
import { inWords } from './document.js';
import { UpdateError } from './errors.js';
import { actions } from './events.js';
import type { Paths } from './paths.js';
import { windowSchema } from './windows.js';

const seconds = z.int().check(z.minimum(1), z.maximum(7 * 24 * 3600));

export const policySchema = z.strictObject({
  /** How many update boots may work on one update before it is given up as `blocked`. */
  attempts: z._default(z.int().check(z.minimum(1), z.maximum(10)), 3),
  /** No progress line and no CPU or disk use of the package manager for so long: the attempt has failed. */
  stallTimeoutSeconds: z._default(seconds, 900),
  /** Each executable in before-install.d, after-install.d and health.d. */
  hookTimeoutSeconds: z._default(seconds, 300),
  /** From the first ordinary boot's basic.target to the verdict: what is not well by then makes it unhealthy. */
  confirmDeadlineSeconds: z._default(seconds, 300),
  /** A network that was up when the update was armed, and is not by the deadline: unhealthy, a warning, or not looked at. */
  confirmNetwork: z._default(z.enum(['require', 'warn', 'ignore']), 'require'),
  /** How long apt and dpkg wait for another holder of their locks. */
  lockTimeoutSeconds: z._default(seconds, 60),
  /** Packages from sources whose index is not signed, or that name no SHA-256. */
  unsignedSources: z._default(z.enum(['refuse', 'allow']), 'refuse'),
  /** A configuration file changed by hand and by the package: keep ours, or take the new one. */
  conffiles: z._default(z.enum(['keep', 'replace']), 'keep'),
  /** Whether a way back is a must, is used where it can be had, or is not wanted. */
  snapshot: z._default(z.enum(['require', 'prefer', 'off']), 'prefer'),
  /** While a fallback is armed, spare the package manager's syncs and sync all at the end; or never. */
  packageSyncs: z._default(z.enum(['auto', 'keep']), 'auto'),
  /** Package files as they were signed, or with their files compressed anew so that dpkg unpacks them sooner. */
  packageCompression: z._default(z.enum(['keep', 'fast']), 'keep'),
  /** Whether `trigger` installs the update on a throw-away copy of the system first; "require": not without. */
  rehearse: z._default(z.union([z.boolean(), z.literal('require')]), true),
  /** For the whole rehearsal. */
  rehearseTimeoutSeconds: z._default(seconds, 1800),
  /** Where `/` cannot be snapshotted: put back a copy of what the update replaces, or finish what was cut short. */
  withoutSnapshots: z._default(z.enum(['copy', 'resume']), 'copy'),
  /** Old roots that stay for `rollback`: two, since a fault may show itself only after the next update. */
  keepFallbacks: z._default(z.int().check(z.minimum(0), z.maximum(20)), 2),
  /** With less of the file system free than so many percent, all but the newest fallback go. */
  minimumFreePercent: z._default(z.int().check(z.minimum(0), z.maximum(90)), 10),
  /** How the update boot ends unless `trigger --action` says otherwise. */
  action: z._default(z.enum(actions), 'auto'),
  /** Where a full reboot is needed for a kernel that the update brings, by kexec(8) and without the firmware. */
  kexec: z._default(z.enum(['never', 'allow']), 'never'),
  /** A file that a dashboard reads (dashboard-status.ts), kept up to date at each step, or `none`. */
  statusFile: z._default(z.string().check(z.regex(/^(?:none|\/[^\0]+)$/)), 'none'),
  /** On battery no update is armed, however full it is; else it is below 30 % only. */
  requireAcPower: z._default(z.boolean(), false),
  /** So long before a scheduled reboot the update is armed, and those who are logged in are warned. */
  noticeSeconds: z._default(z.int().check(z.minimum(0), z.maximum(24 * 3600)), 300),
  /** When an update may take the machine away; none: at any time. */
  windows: z._default(z.array(windowSchema), []),
});

export type Policy = z.infer<typeof policySchema>;

export const defaultPolicy: Policy = policySchema.parse({});

export async function readPolicy(files: FileSystem, paths: Paths): Promise<Policy> {
  const extra = await namesIn(files, paths.configFolder);
  const sources = [paths.config, ...extra.map((name) => join(paths.configFolder, name))];
  let merged: Record<string, unknown> = {};
  for (const source of sources) merged = { ...merged, ...(await readOne(files, source)) };
  return policySchema.parse(merged);
}

async function readOne(files: FileSystem, path: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = await files.readFile(path);
  } catch (error) {
    if (isErrno(error, 'EISDIR')) throw invalid(path, 'it is a folder', error);
    if (!isErrno(error, 'ENOENT')) throw error;
    const target = await files.readLink(path).catch(() => undefined);
    if (target !== undefined) throw invalid(path, `it is a link to ${target}, which is not there`, error);
    return {};
  }
  let table: Record<string, unknown>;
  try {
    table = parseToml(text);
  } catch (error) {
    throw invalid(path, error instanceof Error ? error.message : String(error), error);
  }
  const checked = policySchema.safeParse(table, inWords);
  if (!checked.success) throw invalid(path, z.prettifyError(checked.error), checked.error);
  // Only the keys that stand in this file: defaults must not hide an earlier file's value.
  return table;
}

function invalid(path: string, what: string, cause: unknown): UpdateError {
  return new UpdateError('CONFIG_INVALID', `${path} is not valid: ${what}`, {
    cause,
    hint: 'man 5 offline-update.toml lists every key',
  });
}

async function namesIn(files: FileSystem, folder: string): Promise<string[]> {
  try {
    const names = await files.readFolder(folder);
    return names
      .filter((name) => name.endsWith('.toml'))
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}
