import t from 'tap';
import { join } from 'node:path';
import { exists } from '../../src/host/exists.js';
import { fileSystem as fs } from '../../src/host/file-system.js';
import { ifThere, namesIn, textOf } from '../../src/host/if-there.js';

void t.test('what is not there is an answer, and so is what lies below a file', async (t) => {
  const folder = t.testdir({ file: 'text', link: t.fixture('symlink', 'nowhere') });
  for (const path of [join(folder, 'missing'), join(folder, 'file/below')]) {
    t.equal(await ifThere(fs.readFile(path)), undefined);
    t.equal(await textOf(fs, path), '');
    t.strictSame(await namesIn(fs, path), []);
    t.equal(await exists(fs, path), false);
  }
  t.equal(await textOf(fs, join(folder, 'file')), 'text');
  t.strictSame((await namesIn(fs, folder)).sort(), ['file', 'link']);
  t.ok(await exists(fs, join(folder, 'link')), 'a dangling link is there');
});

void t.test('every other error is one', async (t) => {
  const folder = t.testdir({ file: 'text' });
  await t.rejects(textOf(fs, folder), { code: 'EISDIR' });
  await t.rejects(ifThere(Promise.reject(new Error('another'))), { message: 'another' });
});
