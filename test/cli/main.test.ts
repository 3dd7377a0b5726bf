import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import t from 'tap';

const main = join(import.meta.dirname, '../../src/cli/main.ts');

/** The real program, with a standard output of our choice; resolves with its status and what it said beside. */
async function called(
  stdout: 'pipe' | number,
  ...words: string[]
): Promise<{ status: unknown; told: string }> {
  const child = spawn(process.execPath, [...process.execArgv, main, ...words], {
    stdio: ['ignore', stdout, 'pipe'],
  });
  // Nobody reads: the end that is left to the program is a broken pipe.
  child.stdout?.destroy();
  let told = '';
  child.stderr?.on('data', (data: Buffer) => (told += String(data)));
  const [status] = (await once(child, 'close')) as unknown[];
  return { status, told };
}

void t.test('a reader that goes away does not end what was begun', async (t) => {
  t.strictSame(await called('pipe', '--root', t.testdir({}), 'history'), { status: 0, told: '' });
});

void t.test('an answer that a full disk does not take is a failure', async (t) => {
  const full = openSync('/dev/full', 'w');
  const outcome = await called(full, '--root', t.testdir({}), 'history');
  closeSync(full);
  t.strictSame(outcome, {
    status: 1,
    told:
      'offline-update: it was done, but the answer could not be written\n' +
      '  why: ENOSPC: no space left on device, write\n' +
      '  next: df -h; offline-update status\n',
  });
});
