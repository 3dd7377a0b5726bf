/** What is typed wrongly is told before anything is measured. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { usage, UsageError, wholeNumbersOf } from '../../bench/usage.js';

const bench = join(import.meta.dirname, '../../bench/bench.ts');

function called(...words: string[]): Promise<{ status: unknown; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [...process.execArgv, bench, ...words], (error, stdout, stderr) => {
      resolve({ status: error?.code ?? 0, stdout, stderr });
    });
  });
}

void t.test('--help is the usage; what nobody knows is named with it, and no stack', async (t) => {
  const [help, ...wrong] = await Promise.all([
    called('copy', '--help'),
    called('copy', '--rnus=3'),
    called('peers', '--sizes=many'),
    called('copy', '--sizes=1'),
    called('copy', '--rows=ext4'),
    called('update-boot', '--rows=reiserfs'),
  ]);
  t.strictSame(help, { status: 0, stdout: `${usage}\n`, stderr: '' });
  t.match(wrong, [
    { status: 2, stdout: '', stderr: /^bench: Unknown option '--rnus'/ },
    { status: 2, stdout: '', stderr: /^bench: --sizes: no many; there are / },
    { status: 2, stdout: '', stderr: /^bench: --sizes: nothing that is to be measured takes it\n/ },
    { status: 2, stdout: '', stderr: /^bench: --rows: nothing that is to be measured takes it\n/ },
    { status: 2, stdout: '', stderr: /^bench: --rows: none has "reiserfs" in its name\n/m },
  ]);
  for (const { stderr } of wrong) {
    t.ok(stderr.endsWith(`\n${usage}\n`), stderr);
    t.notMatch(stderr, /^ +at /m);
  }
});

void t.test('whole numbers are told by words with commas between them', (t) => {
  t.strictSame(wholeNumbersOf('--sizes', '1,100'), [1, 100]);
  for (const [text, word] of [
    ['0', '0'],
    ['10,1.5', '1.5'],
    ['', ''],
    ['2,many', 'many'],
  ] as const)
    t.throws(
      () => wholeNumbersOf('--sizes', text),
      new UsageError(`--sizes: ${word} is not a whole number of at least 1`),
    );
  t.end();
});
