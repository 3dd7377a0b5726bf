/**
 * The plan: the sealed description of one update (`plan.json`, format 1). Immutable once written; its SHA-256 is named
 * in the journal by `trigger`, outside the stage (invariant 7).
 */
import * as z from 'zod/mini';
import { createHash } from 'node:crypto';
import { parseDocument } from './document.js';
import { actions } from './events.js';
import { policySchema } from './policy.js';
import { UPDATE_ID } from './update-id.js';

export const PLAN_FORMAT = 1;

const sha256 = z.string().check(z.regex(/^[0-9a-f]{64}$/));
const bytes = z.int().check(z.nonnegative());
/** No absolute path, no `..`, no empty part: a plan cannot reach out of its stage. */
const stagePath = z.string().check(z.regex(/^(?!.*(?:^|\/)\.{1,2}(?:\/|$))[^/\0]+(?:\/[^/\0]+)*$/));

/** The same package with its files compressed anew, after the file of the index had been proven by its SHA-256. */
export const recompressedSchema = z.strictObject({
  compression: z.enum(['zstd', 'none']),
  sizeBytes: bytes,
  sha256,
});
export type Recompressed = z.infer<typeof recompressedSchema>;

/** One package of the change set. `from` is null for a new package, `to` for one that goes. */
export const packageChangeSchema = z.strictObject({
  name: z.string(),
  architecture: z.string(),
  action: z.enum(['install', 'upgrade', 'downgrade', 'reinstall', 'remove']),
  from: z.nullable(z.string()),
  to: z.nullable(z.string()),
  /** Whether apt knows (or shall know) it as installed automatically; explicit installs must not change that. */
  automatic: z.boolean(),
  /** Relative to the stage; null when nothing is to be installed. */
  file: z.nullable(stagePath),
  /** Of the file as the package index names it. */
  sizeBytes: bytes,
  sha256: z.nullable(sha256),
  /** Of the file in the stage, where that is not the very one of the index. */
  recompressed: z.optional(recompressedSchema),
});
export type PackageChange = z.infer<typeof packageChangeSchema>;

export const packagesPlanSchema = z.strictObject({
  kind: z.literal('packages'),
  manager: z.literal('apt'),
  changes: z.array(packageChangeSchema),
  /** SHA-256 over the sorted list of installed packages when the plan was made. */
  baseFingerprint: sha256,
  /**
   * SHA-256 over all on the machine that decides what the package manager would do with these files, as it was when it
   * agreed to the plan: as long as it is the same, it need not be asked again. Absent when that is not known.
   */
  decidedBy: z.optional(sha256),
  /** Change of disk use in bytes as the package manager tells it; negative when space is freed. */
  diskBytes: z.int(),
  /** Sources that only the policy allowed: shown wherever the plan is shown. */
  unsignedSources: z.array(z.string()),
  /** Files that should have been compressed anew and lie in the stage as they were signed, with the reason. */
  notRecompressed: z.optional(
    z.array(z.strictObject({ because: z.string(), packages: z.array(z.string()) })),
  ),
});
export type PackagesPlan = z.infer<typeof packagesPlanSchema>;

export const stagedFileSchema = z.strictObject({ path: stagePath, sizeBytes: bytes, sha256 });
export type StagedFile = z.infer<typeof stagedFileSchema>;

export const planSchema = z.strictObject({
  format: z.literal(PLAN_FORMAT),
  id: z.string().check(z.regex(UPDATE_ID)),
  createdAt: z.iso.datetime(),
  /** What was asked for, in words for the report. */
  request: z.strictObject({
    mode: z.enum(['upgrade', 'full-upgrade', 'packages', 'plugin']),
    packages: z.array(z.string()),
  }),
  payload: z.discriminatedUnion('kind', [packagesPlanSchema]),
  /** Every file of the stage but the plan itself. */
  files: z.array(stagedFileSchema),
  policy: policySchema,
  /**
   * How the update boot would end by this policy, and why, as it was told when the plan was made; the trigger looks again.
   * Absent where nobody could tell.
   */
  end: z.optional(z.strictObject({ action: z.enum([...actions, 'kexec']), because: z.nullable(z.string()) })),
});
export type Plan = z.infer<typeof planSchema>;
export type PayloadPlan = Plan['payload'];

const planHeadSchema = z.looseObject({ format: z.literal(PLAN_FORMAT), id: planSchema.shape.id });

export function planText(plan: Plan): string {
  return `${JSON.stringify(plan, null, 1)}\n`;
}

export function planHash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

const planDocument = {
  what: 'the plan',
  format: PLAN_FORMAT,
  invalid: 'PLAN_INVALID',
  hint: 'offline-update prepare',
} as const;

/** Reads a plan's text. Errors: `PLAN_INVALID`, and `FORMAT_TOO_NEW` for one of a later version. */
export function parsePlan(text: string): Plan {
  return parseDocument(text, { ...planDocument, schema: planSchema });
}

/** The id alone, without judging thousands of changes. Errors: as `parsePlan`. */
export function readPlanId(text: string): string {
  return parseDocument(text, { ...planDocument, schema: planHeadSchema }).id;
}
