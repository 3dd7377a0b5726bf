/**
 * The rehearsal: the sealed plan, installed on a throw-away copy of the running system (`rehearsal.json` beside the
 * plan in the history, format 1). Good for one plan on one state of the package database, both named in it.
 *
 * `RehearsalLine` is what the program inside the copy tells the one outside, a line of JSON each.
 */
import * as z from 'zod/mini';
import { parseDocument } from './document.js';
import { UPDATE_ID } from './update-id.js';

const REHEARSAL_FORMAT = 1;

const sha256 = z.string().check(z.regex(/^[0-9a-f]{64}$/));
const bytes = z.int().check(z.nonnegative());
const seconds = z.number().check(z.nonnegative());
const reason = z.strictObject({ code: z.string(), message: z.string() });
const phases = z.array(z.strictObject({ phase: z.string(), outcome: z.enum(['done', 'failed']), seconds }));
const conffiles = z.array(z.strictObject({ path: z.string(), leftover: z.string() }));
const hooks = z.array(z.strictObject({ path: z.string(), exitCode: z.int(), output: z.string() }));
/** A question of debconf that got its default, because nobody is there to answer. */
const questions = z.array(
  z.strictObject({ name: z.string(), type: z.string(), text: z.string(), answer: z.string() }),
);

export const rehearsalSchema = z.strictObject({
  format: z.literal(REHEARSAL_FORMAT),
  id: z.string().check(z.regex(UPDATE_ID)),
  at: z.iso.datetime(),
  planHash: sha256,
  /** SHA-256 over the list of installed packages, as in the plan. */
  baseFingerprint: sha256,
  outcome: z.enum(['passed', 'failed']),
  /** Why it failed. */
  reason: z.nullable(reason),
  phases,
  /** Files that would be left beside configuration files, for a person to look at. */
  conffiles,
  questions,
  hooks,
  /** One for each file system that is written to. */
  fileSystems: z.array(
    z.strictObject({
      path: z.string(),
      writtenBytes: bytes,
      /** Of what is written, less what it replaces or removes; negative when space is freed. */
      growthBytes: z.int(),
      /** When it was rehearsed. */
      freeBytes: bytes,
      changedFiles: z.int(),
      removedFiles: z.int(),
    }),
  ),
  /** Written below /boot, with the initramfs: the update changes how the machine boots. */
  bootFiles: z.array(z.string()),
  /** Unit files that are changed, added or removed. */
  units: z.array(z.string()),
  /** Services that run now with files that are replaced. */
  services: z.array(z.string()),
  /** Programs that were asked for and not really run, since they would reach the boot loader. */
  notRun: z.array(z.string()),
  storage: z.enum(['memory', 'disk']),
});
export type Rehearsal = z.infer<typeof rehearsalSchema>;

/** A file below a layer of the copy, as it is seen in the system. */
const writtenFile = z.strictObject({ path: z.string(), bytes, removed: z.boolean() });
export type WrittenFile = z.infer<typeof writtenFile>;

const performance = z.strictObject({
  reason: z.nullable(reason),
  phases,
  conffiles,
  questions,
  hooks,
  notRun: z.array(z.string()),
  /** `copy`: all files of it are there, also those that were not written. */
  written: z.array(
    z.strictObject({ path: z.string(), how: z.enum(['overlay', 'copy']), files: z.array(writtenFile) }),
  ),
  /** Nothing more could be written to the copy: not the fault of the update. */
  isFull: z.boolean(),
});
export type Performance = z.infer<typeof performance>;

/** One of which nothing is told yet. */
export function nothingPerformed(reason: Performance['reason']): Performance {
  return {
    reason,
    phases: [],
    conffiles: [],
    questions: [],
    hooks: [],
    notRun: [],
    written: [],
    isFull: false,
  };
}

const line = z.union([
  z.strictObject({ ready: z.literal(true) }),
  z.strictObject({ progress: z.strictObject({ percent: z.number(), text: z.string() }) }),
  z.strictObject({ performance }),
]);
export type RehearsalLine = z.infer<typeof line>;

/** What the program inside is to do: one word of its command line. */
export const rehearsalOrderSchema = z.strictObject({
  id: z.string().check(z.regex(UPDATE_ID)),
  planHash: sha256,
  /** As the install of the update boot will be. */
  revertible: z.boolean(),
});
export type RehearsalOrder = z.infer<typeof rehearsalOrderSchema>;

/** Undefined for a line of something else. */
export function parseRehearsalLine(text: string): RehearsalLine | undefined {
  try {
    const parsed = line.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** Errors: `PLAN_INVALID`, `FORMAT_TOO_NEW`. */
export function parseRehearsal(text: string): Rehearsal {
  return parseDocument(text, {
    what: 'the rehearsal',
    schema: rehearsalSchema,
    format: REHEARSAL_FORMAT,
    invalid: 'PLAN_INVALID',
    hint: 'offline-update trigger',
  });
}
