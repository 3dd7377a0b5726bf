/** A question to the person at the terminal. */
import { createInterface } from 'node:readline/promises';

/** The line that was typed; undefined when nobody can be asked, since standard input or the way to say it is no terminal. */
export async function askPerson(question: string): Promise<string | undefined> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    // The end of the input (Ctrl-D) is an answer as well: none.
    const ended = new Promise<string>((resolve) =>
      lines.once('close', () => {
        resolve('');
      }),
    );
    return await Promise.race([lines.question(question), ended]);
  } finally {
    lines.close();
  }
}
