import { mkdtempSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { arMembers, withLastMember } from '../../src/host/ar-archive.js';
import { arArchive } from '../laboratory/deb-builder.js';

const HEADER_BYTES = 60;
const memberName = fc.stringMatching(/^[a-z][a-z.-]{0,14}$/);
const content = fc.uint8Array({ maxLength: 3000 }).map((bytes) => Buffer.from(bytes));
const members = fc.array(fc.tuple(memberName, content), { minLength: 1, maxLength: 5 });

void t.test('members are found where they are, and the last one is replaced by any other', async (t) => {
  const root = t.testdir({});
  await fc.assert(
    fc.asyncProperty(members, memberName, fc.array(content, { maxLength: 3 }), async (old, name, parts) => {
      const folder = mkdtempSync(join(root, 'case-'));
      const [from, to] = [join(folder, 'from'), join(folder, 'to')];
      const bytes = arArchive(old);
      writeFileSync(from, bytes);
      const found = await arMembers(from);
      const contentOf = (file: Buffer, { headerOffset, sizeBytes }: (typeof found)[number]): Buffer =>
        file.subarray(headerOffset + HEADER_BYTES, headerOffset + HEADER_BYTES + sizeBytes);
      t.strictSame(
        found.map((one) => [one.name, contentOf(bytes, one)]),
        old,
      );
      const last = found.at(-1);
      if (!last) throw new Error('no member');
      await withLastMember(from, to, last, name, (descriptor) => {
        for (const part of parts) if (part.length > 0) writeSync(descriptor, part);
        return Promise.resolve();
      });
      t.strictSame(readFileSync(to), arArchive([...old.slice(0, -1), [name, Buffer.concat(parts)]]));
      t.strictSame(readFileSync(from), bytes, 'the old one is as it was');
      rmSync(folder, { recursive: true });
    }),
  );
});

void t.test('what is no archive, or is cut, is told', async (t) => {
  const root = t.testdir({});
  const path = join(root, 'file');
  const whole = arArchive([['debian-binary', Buffer.from('2.0\n')]]);
  for (const wrong of [
    Buffer.from(''),
    Buffer.from('!<arch>'),
    Buffer.from('something else altogether'),
    whole.subarray(0, -1),
    whole.subarray(0, 40),
    Buffer.from(whole.toString('latin1').replace('4         `', '4x        `'), 'latin1'),
  ]) {
    writeFileSync(path, wrong);
    await t.rejects(arMembers(path), { code: 'NOT_AN_ARCHIVE' }, JSON.stringify(wrong.toString('latin1')));
  }
});

void t.test('a file that is there is never written over', async (t) => {
  const root = t.testdir({ to: 'precious' });
  const from = join(root, 'from');
  writeFileSync(from, arArchive([['one', Buffer.from('1')]]));
  const [last] = await arMembers(from);
  if (!last) throw new Error('no member');
  const replacing = withLastMember(from, join(root, 'to'), last, 'two', () => Promise.resolve());
  await t.rejects(replacing, { code: 'EEXIST' });
  t.equal(readFileSync(join(root, 'to'), 'utf8'), 'precious');
});
