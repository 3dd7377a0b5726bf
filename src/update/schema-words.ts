/** zod/mini carries no texts; with these a wrong document is told by its key and what was expected there. */
import english from 'zod/v4/locales/en.js';

/** For the second argument of `safeParse`. */
export const inWords = { error: english().localeError };
