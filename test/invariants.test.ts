import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';

const [, section = ''] = readFileSync('docs/architecture.md', 'utf8').split('\n## Invariants\n');
const invariants = [...(section.split('\n## ')[0] ?? '').matchAll(/^(\d+)\. \*\*/gm)].map(([, number]) =>
  Number(number),
);

void t.test('each invariant of docs/architecture.md is named by a test', (t) => {
  const texts = readdirSync('test', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && name !== 'invariants.test.ts')
    .map((name) => readFileSync(join('test', name), 'utf8'))
    .join('\n');
  t.strictSame(
    invariants,
    Array.from({ length: 14 }, (_, index) => index + 1),
    'the page was read',
  );
  for (const number of invariants) {
    t.ok(texts.includes(`invariant ${number}:`), `invariant ${number}`);
  }
  t.end();
});
