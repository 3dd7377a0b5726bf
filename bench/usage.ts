/** What may be typed after `npm run bench --`. */
export const usage = `usage: npm run bench -- [NAME...] [--runs=N]
       npm run bench -- --list
       npm run bench -- peers [--runs=N] [--sizes=...] [--file-systems=...] [--disks=...] [--flush-ms=N] [--who=...]
                              [--memory] [--seed=N] [--out=FOLDER]`;

/** Typed wrongly: told with the usage, and the exit status is 2. */
export class UsageError extends Error {}

/** Also what `parseArgs` of Node says. */
export function isUsageError(error: unknown): error is Error {
  if (error instanceof UsageError) return true;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code.startsWith('ERR_PARSE_ARGS_');
}

/** Errors: `UsageError` for what is no number, or less than `least`. */
export function numberOf(option: string, text: string, least: number): number {
  const number = Number(text);
  if (text.trim() === '' || !Number.isFinite(number) || number < least)
    throw new UsageError(`${option}: ${text} is not a number of at least ${least}`);
  return number;
}
