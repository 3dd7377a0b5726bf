/** What may be typed after `npm run bench --`. */
export const usage = `usage: npm run bench -- [NAME...] [--runs=N] [--sizes=N,...] [--rows=TEXT] [--seed=N]
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

/** From 1 on, with commas between them. */
export function wholeNumbersOf(option: string, text: string): number[] {
  const words = text.split(',');
  const wrong = words.find((word) => !/^[1-9]\d*$/.test(word));
  if (wrong !== undefined) throw new UsageError(`${option}: ${wrong} is not a whole number of at least 1`);
  return words.map(Number);
}

/** For `--seed`: another one each day, and one that a report tells by its date. */
export function seedOfToday(): string {
  return new Date().toISOString().slice(0, 10).replaceAll('-', '');
}
