import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { durableFiles } from '../../src/host/durable-files.js';
import { fileSystem } from '../../src/host/file-system.js';
import { carryEvidence } from '../../src/snapshots/evidence.js';
import { markText, readMark } from '../../src/update/fallback-mark.js';
import { Journal } from '../../src/update/journal.js';
import { pathsBelow, pathsOfUpdate } from '../../src/update/paths.js';

const id = '20261120T154935-3f2a';
const files = durableFiles(fileSystem);
const moment = { now: () => new Date(0), bootId: 'boot' };

/** Two roots: that which failed went on where the journal of the other one was cut off. */
async function twoRoots(t: Test) {
  const folder = t.testdir();
  const [failed, old] = [pathsBelow(join(folder, 'failed')), pathsBelow(join(folder, 'old'))];
  const [source, target] = [pathsOfUpdate(failed, id), pathsOfUpdate(old, id)];
  for (const each of [source.folder, target.folder]) mkdirSync(each, { recursive: true });
  const journal = await Journal.open(source.journal, fileSystem, files, moment);
  await journal.append({ event: 'prepared', planHash: 'aa' });
  await journal.append({ event: 'armed', planHash: 'aa', action: 'reboot', trigger: '/system-update' });
  await journal.append({ event: 'claimed', attempt: 1 });
  writeFileSync(target.journal, readFileSync(source.journal));
  // As the store makes them: the record is for everybody, what programs printed for root.
  for (const path of [source.journal, target.journal]) chmodSync(path, 0o644);
  await journal.append({ event: 'installing', attempt: 1, fallback: null });
  writeFileSync(source.terminalLog, 'Setting up\n', { mode: 0o600 });
  writeFileSync(source.report, '{}\n');
  writeFileSync(failed.rescued, 'boot fallback-boots-next\n');
  const carry = () => carryEvidence({ fs: fileSystem, files }, id, failed, old);
  const open = () => Journal.open(target.journal, fileSystem, files, moment);
  return { old, source, target, carry, open };
}

void t.test('invariant 12: the record of the failed root goes on in the old one', async (t) => {
  const { old, source, target, carry, open } = await twoRoots(t);
  await carry();
  t.equal(readFileSync(target.journal, 'utf8'), readFileSync(source.journal, 'utf8'));
  t.equal(readFileSync(target.terminalLog, 'utf8'), 'Setting up\n');
  t.equal(readFileSync(target.report, 'utf8'), '{}\n');
  t.equal(readFileSync(old.rescued, 'utf8'), 'boot fallback-boots-next\n');
  t.strictSame(readdirSync(target.folder), ['journal.jsonl', 'report.json', 'term.log']);
  const modeOf = (path: string): number => statSync(path).mode & 0o777;
  t.equal(modeOf(target.journal), 0o644, 'for everybody, as before');
  t.equal(modeOf(target.terminalLog), 0o600);

  const journal = await open();
  await journal.append({ event: 'reverted', reason: { code: 'SERVICE_CRASHED', message: 'it ended' } });
  await carry();
  t.equal((await open()).state.name, 'reverted', 'what was added since is not taken away again');
});

void t.test('what the shell of the old root wrote stays, behind that of the failed one', async (t) => {
  const { old, carry } = await twoRoots(t);
  writeFileSync(old.rescued, 'later boot-files-not-restored\n');
  await carry();
  await carry();
  t.equal(readFileSync(old.rescued, 'utf8'), 'boot fallback-boots-next\nlater boot-files-not-restored\n');
});

void t.test('a row that a power cut tore is as if it had never been', async (t) => {
  const { source, carry, open } = await twoRoots(t);
  writeFileSync(source.journal, `${readFileSync(source.journal, 'utf8')}{"sequence":5,"at"`);
  await carry();
  const journal = await open();
  t.equal(journal.state.name, 'installing');
  await journal.append({ event: 'reverted', reason: { code: 'INSTALL_INTERRUPTED', message: 'cut' } });
  t.equal((await open()).state.name, 'reverted');
});

void t.test('a journal that is damaged is kept beside the sound one', async (t) => {
  const { source, target, carry, open } = await twoRoots(t);
  const damaged = readFileSync(source.journal, 'utf8').replace('"installing"', '"installed!"');
  writeFileSync(source.journal, damaged);
  await carry();
  t.equal((await open()).state.name, 'claimed');
  t.equal(readFileSync(`${target.journal}.failed-root`, 'utf8'), damaged);
});

void t.test('a failed root that has written nothing takes nothing away', async (t) => {
  const { source, target, carry, open } = await twoRoots(t);
  const before = readFileSync(target.journal, 'utf8');
  for (const path of [source.journal, source.terminalLog, source.report]) await fileSystem.removeTree(path);
  await carry();
  t.equal(readFileSync(target.journal, 'utf8'), before);
  t.equal((await open()).state.name, 'claimed');
});

void t.test('the mark is read as it was written; one that is not understood is an error', async (t) => {
  const path = join(t.testdir(), 'fallback.json');
  t.equal(await readMark(fileSystem, path), undefined);
  writeFileSync(path, markText({ id, provider: 'btrfs', failedRoot: '@.other' }));
  t.strictSame(await readMark(fileSystem, path), {
    format: 1,
    id,
    provider: 'btrfs',
    failedRoot: '@.other',
    role: 'fallback',
  });
  writeFileSync(path, '{"format":2}');
  await t.rejects(readMark(fileSystem, path), { code: 'FORMAT_TOO_NEW' });
});
