import { appendFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { fileSystem } from '../../../../src/host/file-system.js';
import { terminalLogFromNow } from '../../../../src/payloads/packages/apt/terminal-log.js';

void t.test('what was added is told by its lines, and nothing of an earlier run', async (t) => {
  const path = join(t.testdir({ log: 'of an earlier run: ž\n' }), 'log');
  const log = await terminalLogFromNow(fileSystem, path);
  t.strictSame(await log.added(), []);
  appendFileSync(path, 'Setting up lab-good\n\nE: ž\n');
  t.strictSame(await log.added(), ['Setting up lab-good', 'E: ž']);
});

void t.test('the last words are known however much was printed before them', async (t) => {
  const path = join(t.testdir({}), 'log');
  const log = await terminalLogFromNow(fileSystem, path);
  writeFileSync(path, '');
  truncateSync(path, 600 * 1024 * 1024); // a text of that length cannot be in memory
  appendFileSync(path, '\nE: the last words\n');
  t.equal((await log.added()).at(-1), 'E: the last words');
});

void t.test('a log that is not there has no words', async (t) => {
  const log = await terminalLogFromNow(fileSystem, join(t.testdir({}), 'log'));
  t.strictSame(await log.added(), []);
});
