/** The last words of a process that ends: a stream would not write them any more. */
import { writeSync } from 'node:fs';

/** Never throws: nobody is left to be told. */
export function writeAtExit(descriptor: number, text: string): void {
  try {
    writeSync(descriptor, text);
  } catch {
    // it is closed, or on a full disk as well
  }
}
