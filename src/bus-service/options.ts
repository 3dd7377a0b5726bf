/** The options of `Prepare` and `Trigger`. Errors: `USAGE`, naming what is unknown or has the wrong type. */
import * as z from 'zod/mini';
import { inWords } from '../update/document.js';
import { UpdateError } from '../update/errors.js';
import { actions } from '../update/events.js';
import { shellWords } from '../update/shell-words.js';

const action = z.enum(actions);

const prepareSchema = z.strictObject({
  packages: z._default(z.array(z.string()), []),
  full: z._default(z.boolean(), false),
  refresh: z._default(z.boolean(), true),
  rehearse: z._default(z.boolean(), false),
});

const triggerSchema = z.strictObject({
  action: z.optional(action),
  rehearse: z._default(z.boolean(), true),
  force: z._default(z.boolean(), false),
});

export const prepareOptions = (given: unknown): z.infer<typeof prepareSchema> =>
  checked(prepareSchema, given);
export const triggerOptions = (given: unknown): z.infer<typeof triggerSchema> =>
  checked(triggerSchema, given);
export const actionOption = (given: unknown): z.infer<typeof action> => checked(action, given);

/** What a person would type for the same. */
export function typedPrepare({
  packages,
  full,
  refresh,
  rehearse,
}: ReturnType<typeof prepareOptions>): string {
  const options = [full && '--full', !refresh && '--no-refresh', rehearse && '--rehearse'];
  return shellWords([
    'offline-update',
    'prepare',
    ...options.filter((option) => option !== false),
    ...packages,
  ]);
}

function checked<T>(schema: z.ZodMiniType<T>, given: unknown): T {
  const found = schema.safeParse(given, inWords);
  if (found.success) return found.data;
  throw new UpdateError('USAGE', `the options are not valid: ${z.prettifyError(found.error)}`, {
    cause: found.error,
    hint: 'busctl introspect org.offlineupdate1 /org/offlineupdate1',
  });
}
