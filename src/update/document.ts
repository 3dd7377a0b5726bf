/**
 * Reading a JSON document that carries its `format`: not JSON and not of the schema is the caller's code, a format of
 * a later version is always `FORMAT_TOO_NEW`. zod/mini has no texts of its own; with these a wrong document is told
 * by its key and by what was expected there.
 */
import * as z from 'zod/mini';
import english from 'zod/v4/locales/en.js';
import { UpdateError, type UpdateErrorCode } from './errors.js';

/** For the second argument of `safeParse`. */
export const inWords = { error: english().localeError };

export interface DocumentKind<T> {
  /** With its article, for the messages: `the plan`. */
  what: string;
  schema: z.ZodMiniType<T>;
  format: number;
  invalid: UpdateErrorCode;
  hint: string;
}

export function parseDocument<T>(text: string, kind: DocumentKind<T>): T {
  const { what, schema, format, invalid, hint } = kind;
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new UpdateError(invalid, `${what} is not JSON`, { cause: error, hint });
  }
  const found = z.looseObject({ format: z.int() }).safeParse(document);
  if (found.success && found.data.format > format) {
    throw new UpdateError(
      'FORMAT_TOO_NEW',
      `${what} has format ${found.data.format}, this version of offline-update knows up to ${format}`,
      { hint: 'upgrade offline-update' },
    );
  }
  const checked = schema.safeParse(document, inWords);
  if (checked.success) return checked.data;
  throw new UpdateError(invalid, `${what} is not valid: ${z.prettifyError(checked.error)}`, {
    cause: checked.error,
    hint,
  });
}
