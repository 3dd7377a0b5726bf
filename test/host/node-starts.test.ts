import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import t, { type Test } from 'tap';
import { runCommand } from '../../src/host/command.js';
import { loadedFiles, noteNode } from '../../src/host/node-starts.js';

process.env['LAB_WORD'] = 'not inherited'; // not NODE_OPTIONS, which the runner of the tests gives to all

/** Ends as our program does of a word that is no verb. */
const sound = `#!/bin/sh
echo "$0"
[ "$#" = 2 ] && [ "$2" = nothing ] && [ -z "\${LAB_WORD-}" ] && exit 3
exit 0
`;

/** A change in the same tick of the clock of the file system, a few milliseconds long, is none to be seen. */
function untilTheClockTicks(file: string): void {
  const probe = `${file}.probe`;
  do writeFileSync(probe, '');
  while (statSync(probe).ctimeMs === statSync(file).ctimeMs);
}

function replace(node: string): void {
  copyFileSync(node, `${node}.new`);
  unlinkSync(node);
  copyFileSync(`${node}.new`, node);
}

const libraryOf = (node: string): string => join(node, '../../lib/libnode.so.115');

/** Of a program that the dynamic loader refuses. */
const lacksLibrary =
  '#!/bin/sh\necho "node: error while loading shared libraries: libx.so.1" >&2; exit 127\n';

/** What is told after each of `acts` did something to Node.js, and how often it was started. */
async function after(
  t: Test,
  ...acts: ((node: string) => void)[]
): Promise<{ why: (string | undefined)[]; starts: number }> {
  const folder = t.testdir({ program: '', lib: { 'libnode.so.115': '' } });
  mkdirSync(join(folder, 'bin'));
  const node = join(folder, 'bin/node');
  writeFileSync(node, sound, { mode: 0o755 });
  let starts = 0;
  const why = noteNode({
    node,
    program: join(folder, 'program'),
    libraries: [join(folder, 'lib/libnode.so.115')],
    run(...words) {
      starts += 1;
      return runCommand(...words);
    },
  });
  t.equal(await why(), undefined, 'as it was noted');
  const told: (string | undefined)[] = [];
  for (const act of acts) {
    untilTheClockTicks(node);
    act(node);
    told.push((await why())?.replaceAll(folder, ''));
  }
  return { why: told, starts };
}

void t.test('nothing is started where the update left Node.js alone', async (t) => {
  t.strictSame(await after(t, () => undefined), { why: [undefined], starts: 0 });
});

void t.test('one that was replaced is started, and well', async (t) => {
  t.strictSame(await after(t, replace), { why: [undefined], starts: 1 });
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
      /^\/bin\/node changed, and Node\.js does not start: .*\/bin\/node/,
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
      write(lacksLibrary),
      /the program that confirms ended with 127: node: error while loading shared libraries: libx\.so\.1$/,
    ],
    ['a signal', write('#!/bin/sh\nkill -SEGV $$\n'), /the program that confirms was ended by SIGSEGV$/],
    ['another program', write('#!/bin/sh\nexit 0\n'), /the program that confirms ended with 0$/],
  ];
  for (const [name, act, why] of cases) {
    const told = await after(t, act);
    t.match(told.why[0], why, name);
  }
});

void t.test('asked again, it is started only where it was touched again', async (t) => {
  const nothing = (): void => undefined;
  t.strictSame(await after(t, replace, nothing), { why: [undefined, undefined], starts: 1 });
  const told = await after(t, replace, unlinkSync);
  t.equal(told.why[0], undefined);
  t.match(told.why[1], /^\/bin\/node changed, and Node\.js does not start: /);
});

void t.test('what the new one is made of counts from then on', async (t) => {
  const made = (library: string): string =>
    `#!/bin/sh\necho "$0"; echo "${library}"\n[ -e "${library}" ] && exit 3\nexit 127\n`;
  const folder = t.testdir({});
  const replaceByOther = (node: string): void => {
    const library = join(folder, 'libnode.so.127');
    writeFileSync(library, '');
    writeFileSync(node, made(library));
  };
  const removeLibrary = (): void => {
    unlinkSync(join(folder, 'libnode.so.127'));
  };
  const { why, starts } = await after(t, replaceByOther, () => undefined, removeLibrary);
  t.strictSame(why.slice(0, 2), [undefined, undefined]);
  t.match(why[2], /libnode\.so\.127 changed, and the program that confirms ended with 127$/);
  t.equal(starts, 2);
});

void t.test(
  'one that does not name its files, or has lost one of them since, is started whenever it is asked for',
  async (t) => {
    const nothing = (): void => undefined;
    for (const names of ['', 'echo "$0"; echo "/lib/libnode.so.115 (deleted)"\n']) {
      const replaceBySuch = (node: string): void => {
        writeFileSync(node, `#!/bin/sh\n${names}exit 3\n`);
      };
      t.strictSame(await after(t, replaceBySuch, nothing), { why: [undefined, undefined], starts: 2 }, names);
    }
  },
);

void t.test('asked twice at once, it looks again after the first answer', async (t) => {
  const folder = t.testdir({ node: '', program: '' });
  const node = join(folder, 'node');
  const touch = (text: string): void => {
    untilTheClockTicks(node);
    writeFileSync(node, text);
    chmodSync(node, 0o755);
  };
  touch(sound);
  let starts = 0;
  const why = noteNode({
    node,
    program: join(folder, 'program'),
    libraries: [],
    async run(...words) {
      starts += 1;
      const result = await runCommand(...words);
      if (starts === 1) touch(lacksLibrary); // while the first answer is on its way
      return result;
    },
  });
  await why();
  touch(sound);
  const [first, second] = await Promise.all([why(), why()]);
  t.equal(first, undefined);
  t.match(second, /ended with 127/);
  t.equal(starts, 2);
});

void t.test('a library alone, or the program that confirms, is seen as well', async (t) => {
  const touchLibrary = (node: string): void => {
    unlinkSync(libraryOf(node));
  };
  t.strictSame(await after(t, touchLibrary), { why: [undefined], starts: 1 }, 'it starts without');
  const breakBoth = (node: string): void => {
    writeFileSync(node, lacksLibrary);
    touchLibrary(node);
  };
  t.match(
    (await after(t, breakBoth)).why[0],
    /^\/bin\/node, \/lib\/libnode\.so\.115 changed, and the program that confirms ended with 127/,
  );
  const emptyProgram = (node: string): void => {
    writeFileSync(join(node, '../../program'), '');
  };
  t.equal((await after(t, emptyProgram)).starts, 1);
});

void t.test('what the dynamic loader has put into a process is known by its paths', async (t) => {
  const files = await loadedFiles();
  t.ok(
    files.some((path) => basename(path).startsWith('libc.so.')),
    files.join(' '),
  );
  for (const path of files) t.ok(statSync(path).isFile(), path);
  t.equal(new Set(files).size, files.length);
});
