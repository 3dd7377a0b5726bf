/**
 * The one error of the boot laboratory. The message is all that a failed test shows, so it carries the whole
 * output of the command or the last lines of the console.
 */
export class LaboratoryError extends Error {
  override readonly name = 'LaboratoryError';
}
