/** In a program that starts from a start-up snapshot (docs/speed.md) there are threads as in any other. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import t from 'tap';

const asks = `
import { openSync } from 'node:fs';
import { HashThreads } from '${join(process.cwd(), 'src/host/hash-threads.ts')}';
const threads = new HashThreads(1);
async function tell() {
  const sum = await threads.sha256(openSync(process.argv[2], 'r'));
  console.log(threads.count, sum);
  threads.end();
}
process.getBuiltinModule('node:v8').startupSnapshot.setDeserializeMainFunction(tell);
`;

void t.test('a thread that a snapshot has loaded nothing of answers', (t) => {
  const root = t.testdir({ content: 'text' });
  const [program, snapshot] = [join(root, 'program.cjs'), join(root, 'snapshot')];
  const built = buildSync({
    stdin: { contents: asks, resolveDir: process.cwd(), loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    write: false,
  });
  writeFileSync(program, built.outputFiles[0]?.text ?? '');
  const node = (...words: string[]): string =>
    execFileSync(process.execPath, ['--no-warnings', '--snapshot-blob', snapshot, ...words], {
      encoding: 'utf8',
      env: {},
    });
  node('--build-snapshot', program);
  const sum = createHash('sha256').update('text').digest('hex');
  t.equal(node(program, join(root, 'content')), `1 ${sum}\n`);
  t.end();
});
