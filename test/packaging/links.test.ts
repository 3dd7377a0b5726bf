/** Every link between the pages of this tree leads somewhere, also to a heading, and so does what a comment names. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { papers } from './paper-modules.js';

const root = join(import.meta.dirname, '../..');
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((name) => `docs/${name}`),
].filter((name) => name.endsWith('.md'));

/** As GitHub names them. */
function anchorsOf(page: string): Set<string> {
  const headings = readFileSync(page, 'utf8').matchAll(/^#+ (.*)$/gm);
  const named = [...headings].map(([, text = '']) =>
    text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
  return new Set(named);
}

void t.test('links between pages lead to files and headings that are there', (t) => {
  const broken: string[] = [];
  let seen = 0;
  for (const page of pages) {
    const text = readFileSync(join(root, page), 'utf8').replaceAll(/^```[^]*?^```$/gm, '');
    for (const [, target = ''] of text.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
      seen++;
      const [file = '', anchor] = target.split('#');
      const path = file === '' ? join(root, page) : join(root, dirname(page), file);
      const isThere = existsSync(path) && (anchor === undefined || anchorsOf(path).has(anchor));
      if (!isThere) broken.push(`${page}: ${target}`);
    }
  }
  t.ok(seen > 30, `${seen} links`);
  t.strictSame(broken, []);
  t.end();
});

void t.test('what the program and its manual pages send people to is installed', (t) => {
  const installed = new Set(papers.files.map(({ to }) => to));
  const told = ['src', 'docs/man'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(ts|[58])$/.test(name))
      .flatMap((name) => {
        const text = readFileSync(join(root, folder, name), 'utf8').replaceAll('\\-', '-');
        // Of a hint also what names a page of this tree, which is not there where it is read.
        return text.match(/\/usr\/share\/doc\/offline-update\/[\w./-]*\w|(?<=hint.*)docs\/\S+/gi) ?? [];
      }),
  );
  t.ok(told.length > 0);
  t.strictSame(
    told.filter((path) => !installed.has(path)),
    [],
  );
  t.end();
});

void t.test('a page or a source file that a comment names is in this tree', (t) => {
  const rooms = ['src', 'units', 'packaging', 'scripts', 'docs', 'test', 'bench', 'demo'];
  const files = rooms.flatMap((room) =>
    readdirSync(join(root, room), { recursive: true, encoding: 'utf8' }).map((name) => `/${room}/${name}`),
  );
  let seen = 0;
  const missing = files
    .filter((file) => /^\/(?!docs|packaging).*(\.ts|\.mjs|\/units\/[\w.-]+)$/.test(file))
    .flatMap((file) => {
      const mark = /\.(ts|mjs)$/.test(file) ? /^\s*(\/?\*|\/\/)/ : /^\s*#/;
      const lines = readFileSync(join(root, file), 'utf8').split('\n');
      const comments = lines.filter((line) => mark.test(line)).join('\n');
      const named = comments.match(/(?<![\w./*-])[a-z][\w./-]*\.(?:md|ts|mjs)\b/g) ?? [];
      seen += named.length;
      return named
        .filter((name) => !files.some((each) => each.endsWith(`/${name}`)))
        .map((name) => `${file}: ${name}`);
    });
  t.ok(seen > 100, `${seen} names`);
  t.strictSame(missing, []);
  t.end();
});
