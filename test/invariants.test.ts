import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';

void t.test('each invariant of the design is named by a test', (t) => {
  const texts = readdirSync('test', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && name !== 'invariants.test.ts')
    .map((name) => readFileSync(join('test', name), 'utf8'))
    .join('\n');
  for (let number = 1; number <= 14; number += 1) {
    t.ok(texts.includes(`invariant ${number}:`), `invariant ${number}`);
  }
  t.end();
});
