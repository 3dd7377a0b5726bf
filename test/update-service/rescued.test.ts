import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { pathsBelow } from '../../src/update/paths.js';
import { lastTold, readRescued, tells, tellsOnly } from '../../src/update-service/rescued.js';
import { rescueText, rescueWords } from '../../src/update/rescue-words.js';
import { memoryFileSystem } from '../fixtures/memory-file-system.js';

void t.test('the scripts record the very words that are known here', (t) => {
  const scripts = readdirSync('units').map((name) => readFileSync(`units/${name}`, 'utf8'));
  const recorded = scripts.flatMap((text) =>
    [...text.matchAll(/^\s*record '?([\w-]+)'?$/gm)].map(([, word = '']) => word),
  );
  t.strictSame([...new Set(recorded)].sort(), [...rescueWords]);
  t.end();
});

void t.test('a person reads a sentence, and a word of another version as it is', (t) => {
  t.match(rescueText('left-by-guard'), /^the guard left an update boot/);
  t.equal(rescueText('of-another-version'), 'of-another-version');
  t.equal(rescueText('constructor'), 'constructor');
  t.end();
});

void t.test('a line that a power cut has torn has no word, and the one after it has', async (t) => {
  const fs = memoryFileSystem();
  const paths = pathsBelow('/');
  await fs.makeFolder(paths.state, 0o755);
  t.strictSame(await readRescued({ fs, paths }), [], 'nothing was recorded');
  await fs.createFile(paths.rescued, '\nboot-1 never-started\n\nboot-2\nboot-2 left-by-guard\n', 0o600);
  t.strictSame(await readRescued({ fs, paths }), ['never-started', 'left-by-guard']);
});

void t.test('words are asked for as a whole, also those of another version', (t) => {
  const rescued = ['roll-forward-failed', 'rolled-forward', 'never-started-at-all'];
  t.ok(tells(rescued, 'copy-restored', 'rolled-forward'));
  t.notOk(tells(rescued, 'never-started'));
  t.equal(lastTold(rescued, 'rolled-forward', 'roll-forward-failed'), 'rolled-forward');
  t.equal(lastTold(rescued, 'copy-restored'), undefined);
  t.notOk(tellsOnly(rescued, 'rolled-forward'));
  t.ok(tellsOnly(['packages-changed', 'packages-changed'], 'packages-changed'));
  t.notOk(tellsOnly([], 'packages-changed'), 'nothing is not only that');
  t.end();
});
