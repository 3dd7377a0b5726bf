import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import t from 'tap';

const allowed: Record<string, readonly string[]> = {
  cli: ['bus-service', 'prepare', 'update-service', 'generator', 'payloads', 'snapshots', 'update', 'host'],
  'bus-service': ['prepare', 'payloads', 'update', 'host'],
  prepare: ['payloads', 'snapshots', 'update', 'host'],
  'update-service': ['payloads', 'snapshots', 'update', 'host'],
  generator: ['update'],
  payloads: ['update', 'host'],
  snapshots: ['update', 'host'],
  update: ['host'],
  host: [],
};
/** The generator's only way to say anything, and how the kernel's words are told apart. */
const exceptions = new Set([
  'src/generator/main.ts ../host/kernel-log.js',
  'src/generator/boot-facts.ts ../host/kernel-command-line.js',
]);

/** Packages that are effects on the machine: only `host` may use them. */
const effects = /^(dbus-next|execa|fs-extra|node:child_process)$/;

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join('src', name));

interface Import {
  file: string;
  room: string;
  from: string;
  typeOnly: boolean;
  /** `import()`, when it is asked for. */
  late: boolean;
}

const imports: Import[] = files.flatMap((file) => {
  const text = readFileSync(file, 'utf8');
  const room = relative('src', file).split('/')[0] ?? '';
  return [...text.matchAll(/(?:^|\n)\s*(?:import|export)\s+(type\s+)?[^'"();]*?from\s+'([^']+)'/g)]
    .map((found) => ({ file, room, from: found[2] ?? '', typeOnly: found[1] !== undefined, late: false }))
    .concat(
      [...text.matchAll(/import\(\s*'([^']+)'\s*\)/g)].map((found) => ({
        file,
        room,
        from: found[1] ?? '',
        typeOnly: false,
        late: true,
      })),
    );
});

void t.test('every room is known and has files', (t) => {
  t.strictSame([...new Set(imports.map(({ room }) => room))].sort(), Object.keys(allowed).sort());
  t.ok(imports.length > 100, 'the imports were found');
  t.end();
});

void t.test('imports run downwards only', (t) => {
  const wrong = imports
    .filter(({ from }) => from.startsWith('.'))
    .filter(({ file, room, from }) => {
      const target = relative('src', normalize(join(dirname(file), from))).split('/')[0] ?? '';
      return target !== room && !allowed[room]?.includes(target) && !exceptions.has(`${file} ${from}`);
    })
    .map(({ file, from }) => `${file} imports ${from}`);
  t.strictSame(wrong, []);
  t.end();
});

void t.test('only host starts programs, speaks D-Bus and copies files of the system', (t) => {
  const wrong = imports
    .filter(({ room, from, typeOnly }) => room !== 'host' && !typeOnly && effects.test(from))
    .map(({ file, from }) => `${file} imports ${from}`);
  t.strictSame(wrong, []);
  t.end();
});

void t.test('only the generator and host touch files by themselves', (t) => {
  const wrong = imports
    .filter(
      ({ room, from, typeOnly }) =>
        !['host', 'generator'].includes(room) && !typeOnly && /^node:fs/.test(from),
    )
    .map(({ file, from }) => `${file} imports ${from}`);
  t.strictSame(wrong, []);
  t.end();
});

void t.test('outside of the command only libraries that few need are loaded late', (t) => {
  const late = imports.filter(({ file, late }) => late && !file.startsWith('src/cli/'));
  t.strictSame(late.map(({ file, from }) => `${file} ${from}`).sort(), [
    'src/host/command.ts ./command-tree.js',
    'src/host/file-system.ts ./trees.js',
    'src/host/power-rungs.ts ./bus.js',
    'src/host/wake-login.ts ./bus.js',
    // Into its start-up snapshot, where nobody waits.
    'src/update-service/main.ts ../host/bus.js',
  ]);
  t.end();
});

void t.test('the update service reads neither D-Bus nor what starts hooks before it needs them', (t) => {
  const reached = new Set(['src/update-service/main.ts']);
  for (const file of reached) {
    for (const { from } of imports.filter((each) => each.file === file && !each.typeOnly && !each.late)) {
      if (from.startsWith('.')) reached.add(normalize(join(dirname(file), from)).replace(/\.js$/, '.ts'));
      else reached.add(from);
    }
  }
  t.ok(reached.has('src/host/power-rungs.ts'), 'the way to it was followed');
  t.strictSame(
    [...reached].filter((from) => ['dbus-next', 'execa', 'fs-extra'].includes(from)),
    [],
  );
  t.end();
});

void t.test('a file is one idea: none is longer than 250 lines', (t) => {
  const long = files.filter((file) => readFileSync(file, 'utf8').split('\n').length > 251);
  t.strictSame(long, []);
  t.end();
});

/** What a checkout makes for itself: as in .gitignore, and git's own folder. */
const made = new Set(['.git', 'node_modules', 'dist', '.tap', 'coverage']);
const topLevel = readdirSync('.').filter((name) => !made.has(name));

void t.test("at the top lies the project, and nobody's scratch files", (t) => {
  t.strictSame(topLevel.sort(), [
    '.ci',
    '.gitignore',
    '.npmrc',
    '.prettierignore',
    '.prettierrc.json',
    '.taprc',
    'CONTRIBUTING.md',
    'LICENSE',
    'README.md',
    'bench',
    'demo',
    'docs',
    'eslint.config.js',
    'knip.json',
    'package-lock.json',
    'package.json',
    'packaging',
    'scripts',
    'src',
    'test',
    'tsconfig.json',
    'tsconfig.src.json',
    'units',
  ]);
  t.end();
});

void t.test('every file of the project is text that a reader can follow', (t) => {
  const inside = topLevel.flatMap((name) =>
    statSync(name).isDirectory()
      ? readdirSync(name, { recursive: true, encoding: 'utf8' }).map((path) => join(name, path))
      : name,
  );
  const binary = inside.filter((path) => statSync(path).isFile() && readFileSync(path).includes(0));
  t.ok(inside.length > 500, 'the files were found');
  t.strictSame(binary, []);
  t.end();
});
