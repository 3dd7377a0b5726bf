import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  renameSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { runCommand } from '../../src/host/command.js';
import { noteNode } from '../../src/host/node-starts.js';

process.env['LAB_WORD'] = 'not inherited'; // not NODE_OPTIONS, which the runner of the tests gives to all

/** Ends as our program does of a word that is no verb. */
const sound = `#!/bin/sh
cd "$(dirname "$0")/.." || exit
[ -e libnode.so ] || { echo 'node: error while loading shared libraries: libnode.so' >&2; exit 127; }
[ "$#" = 2 ] && [ "$2" = nothing ] && [ -z "\${LAB_WORD-}" ] && exit 3
exit 0
`;

/** A change in the same tick of the clock of the file system, a few milliseconds long, is none to be seen. */
function untilTheClockTicks(file: string): void {
  const probe = `${file}.probe`;
  do writeFileSync(probe, '');
  while (statSync(probe).ctimeMs === statSync(file).ctimeMs);
}

/** What is told after `act` did something to Node.js, and how often it was started. */
async function after(
  t: Test,
  act: (node: string) => void,
): Promise<{ why: string | undefined; starts: number }> {
  const folder = t.testdir({ program: '', 'libnode.so': '', 'locale-archive': '' });
  mkdirSync(join(folder, 'bin'));
  const maps = join(folder, 'maps');
  writeFileSync(
    maps,
    `7f0a1000-7f0a2000 r--p 00000000 08:01 11                         ${folder}/libnode.so
7f0a2000-7f0a3000 r-xp 00001000 08:01 11                         ${folder}/libnode.so
7f0a3000-7f0a4000 r--p 00000000 08:01 12                         ${folder}/locale-archive
7f0a4000-7f0a5000 r-xp 00000000 00:00 0                          [vdso]
7f0a5000-7f0a6000 rwxp 00000000 00:00 0 
`,
  );
  const node = join(folder, 'bin/node');
  writeFileSync(node, sound, { mode: 0o755 });
  let starts = 0;
  const why = noteNode({
    node,
    maps,
    program: join(folder, 'program'),
    run(...words) {
      starts += 1;
      return runCommand(...words);
    },
  });
  t.equal(await why(), undefined, 'as it was noted');
  untilTheClockTicks(node);
  act(node);
  return { why: (await why())?.replaceAll(folder, ''), starts };
}

void t.test('nothing is started where the update left Node.js alone', async (t) => {
  t.strictSame(await after(t, () => undefined), { why: undefined, starts: 0 });
});

void t.test('one that was replaced is started, and well', async (t) => {
  const replace = (node: string): void => {
    copyFileSync(node, `${node}.new`);
    unlinkSync(node);
    copyFileSync(`${node}.new`, node);
  };
  t.strictSame(await after(t, replace), { why: undefined, starts: 1 });
});

void t.test('a library that it has mapped is a part of it, and no other file is', async (t) => {
  const replace = (name: string) => (node: string) => {
    const file = join(node, '../..', name);
    writeFileSync(`${file}.new`, 'anew');
    renameSync(`${file}.new`, file);
  };
  t.strictSame(await after(t, replace('libnode.so')), { why: undefined, starts: 1 });
  t.strictSame(await after(t, replace('locale-archive')), { why: undefined, starts: 0 });
});

void t.test('a library that is gone is told, and what the program says of it', async (t) => {
  const { why } = await after(t, (node) => {
    unlinkSync(join(node, '../../libnode.so'));
  });
  t.equal(
    why,
    '/libnode.so was changed, and the program that confirms ended with 127: node: error while loading shared libraries: libnode.so',
  );
});

void t.test('one that is gone, may not be executed, or does not start is told', async (t) => {
  const write = (text: string) => (node: string) => {
    writeFileSync(node, text);
  };
  const cases: [string, (node: string) => void, RegExp][] = [
    [
      'gone',
      (node) => {
        unlinkSync(node);
      },
      /^\/bin\/node was changed, and Node\.js does not start: .*\/bin\/node/,
    ],
    [
      'chmod',
      (node) => {
        chmodSync(node, 0o644);
      },
      /and Node\.js does not start: /,
    ],
    [
      'a link to nowhere',
      (node) => {
        unlinkSync(node);
        symlinkSync('nowhere', node);
      },
      /and Node\.js does not start: /,
    ],
    [
      'a library',
      write('#!/bin/sh\necho "node: error while loading shared libraries: libx.so.1" >&2; exit 127\n'),
      /the program that confirms ended with 127: node: error while loading shared libraries: libx\.so\.1$/,
    ],
    ['a signal', write('#!/bin/sh\nkill -SEGV $$\n'), /the program that confirms was ended by SIGSEGV$/],
    ['another program', write('#!/bin/sh\nexit 0\n'), /the program that confirms ended with 0$/],
  ];
  for (const [name, act, why] of cases) {
    const told = await after(t, act);
    t.match(told.why, why, name);
  }
});
