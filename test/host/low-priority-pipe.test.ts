import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { lowPriorityPipe, type Piped, type PipeWords } from '../../src/host/low-priority-pipe.js';

const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C' };
const shell = (text: string) => ['sh', '-c', text] as const;
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** What a file holds whose first words were written before. */
async function intoFile(
  t: Test,
  words: Omit<PipeWords, 'env' | 'limitBytes' | 'into'>,
): Promise<Piped & { content: Buffer }> {
  const path = join(t.testdir({}), 'file');
  const into = openSync(path, 'w');
  try {
    writeSync(into, 'before ');
    const piped = await lowPriorityPipe({ env, limitBytes: 10_000_000, into, ...words });
    return { ...piped, content: readFileSync(path) };
  } finally {
    closeSync(into);
  }
}

void t.test('what a command prints is hashed, and goes to where the descriptor stands', async (t) => {
  const text = 'line\n'.repeat(300_000);
  const { bytes, sha256: sum, content } = await intoFile(t, { command: shell('yes line | head -n 300000') });
  t.strictSame([bytes, sum], [text.length, sha256(text)]);
  t.ok(content.toString() === `before ${text}`);
  const alone = await lowPriorityPipe({ command: shell('printf words'), env, limitBytes: 5 });
  t.strictSame(alone, { bytes: 5, sha256: sha256('words') }, 'without a file it is hashed alone');
});

void t.test('a second command may stand between; the hash is of what went into it', async (t) => {
  const { bytes, content } = await intoFile(t, {
    command: shell('yes line | head -n 300000'),
    through: ['gzip', '-1'],
  });
  t.equal(bytes, 1_500_000);
  t.equal(content.subarray(0, 7).toString(), 'before ');
  t.equal(gunzipSync(content.subarray(7)).length, 1_500_000);
});

void t.test('the priority is the lowest', async (t) => {
  const { content } = await intoFile(t, { command: ['nice'], through: shell('cat; nice') });
  t.equal(content.toString(), 'before 19\n19\n');
});

void t.test('whichever fails, its own words are told', async (t) => {
  const much = 'yes line | head -n 300000';
  const cases: [Pick<PipeWords, 'command' | 'through'>, string][] = [
    [{ command: shell('echo part; echo no such file >&2; exit 2') }, 'sh: exit code 2, no such file'],
    [{ command: shell('echo part; exit 2'), through: ['cat'] }, 'sh: exit code 2'],
    [{ command: shell(much), through: ['gzip', '--no-such'] }, /^gzip: exit code 1, gzip: unrecognized/],
    [{ command: shell(much), through: shell('echo disk full >&2; exit 7') }, 'sh: exit code 7, disk full'],
    [{ command: shell(much), through: shell('kill -9 $$') }, 'sh: ended by SIGKILL'],
    [{ command: shell(much), through: ['no-such-program'] }, /^no-such-program: exit code 127/],
    [{ command: ['no-such-program'] }, /^no-such-program: exit code 127/],
  ] as [Pick<PipeWords, 'command' | 'through'>, string][];
  for (const [words, message] of cases)
    await t.rejects(lowPriorityPipe({ env, limitBytes: 1e9, ...words }), { code: 'COMMAND_FAILED', message });
});

void t.test('a disk that is full is told', async (t) => {
  const into = openSync('/dev/full', 'w');
  t.teardown(() => {
    closeSync(into);
  });
  await t.rejects(lowPriorityPipe({ command: shell('yes'), env, limitBytes: 1e9, into }), { code: 'ENOSPC' });
  const gzip = { command: shell('yes'), through: ['gzip', '-1'] } as const;
  await t.rejects(lowPriorityPipe({ ...gzip, env, limitBytes: 1e9, into }), {
    code: 'COMMAND_FAILED',
    message: /^gzip: exit code 1, gzip: .*No space left on device/,
  });
});

void t.test('more than it may print ends both', async (t) => {
  for (const through of [undefined, ['cat'] as const]) {
    await t.rejects(
      lowPriorityPipe({ command: shell('yes'), env, limitBytes: 100_000, ...(through && { through }) }),
      { code: 'TOO_MUCH_OUTPUT', message: 'sh printed more than 100000 bytes' },
    );
  }
});
