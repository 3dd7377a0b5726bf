/** The manual pages are made from what they describe; here: how, and that what their prose names is really there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import t from 'tap';
import { exitCodes } from '../../src/cli/exit-codes.js';
import { pathsBelow, pathsOfUpdate } from '../../src/update/paths.js';
import { verdicts } from '../../src/update/state.js';
import { papers, sources } from './paper-modules.js';

const root = join(import.meta.dirname, '../..');
const pages = papers.manPages.map((name) => ({
  name,
  text: papers.manPage(name, sources).replaceAll('\\-', '-'),
}));
const listed = (title: string): string[] => {
  const section = pages[0]?.text.split(/^\.Sh /m).find((each) => each.startsWith(`${title}\n`)) ?? '';
  return [...section.matchAll(/^\.It (\w+)$/gm)].map(([, word]) => word ?? '');
};

void t.test('plain sentences become mdoc', (t) => {
  const text = `A "value", --an-option. See withoutSnapshots (and /etc/a-file), or page(8).\nOne \`two Th\` three.

.Dot 'begins'.`;
  t.equal(
    papers.mdocText(text),
    `A
.Dq value ,
.Fl \\-an\\-option .
See
.Va withoutSnapshots
(and
.Pa /etc/a\\-file ) ,
or
.Xr page 8 .
One
.Ql two \\&Th
three.
.Pp
\\&.Dot 'begins'.`,
  );
  t.equal(papers.mdocText('an action, of `action`', new Set(['action'])), 'an action, of\n.Va action');
  t.end();
});

void t.test('verbs, options, keys and units are filled in', (t) => {
  const program = new Command('lab').helpCommand(false).option('--root <dir>', 'below DIR');
  const own = program
    .command('go')
    .description('Goes. Far.')
    .argument('[where...]')
    .option('--json', 'print JSON');
  own.addOption(new Option('--way <way>', 'which way').choices(['up', 'down']));
  const files: Record<string, string> = {
    'docs/man/offline-update.8': '@SYNOPSIS@\n@COMMANDS@\n@OPTIONS@\n@KEYS@\n@UNITS@\n',
    'packaging/config.toml': '# Head.\n\n# How many.\n#count = 3\n\n# Where.\n#[[place]]\n#name = "a-b"\n',
    'units/a.service': '# Does it.\n\n[Unit]\nDescription=A\n',
    'units/b.timer': '[Unit]\nDescription=Begin it\n',
  };
  const filled = papers.manPage('offline-update.8', {
    program,
    policy: { properties: { count: { type: 'integer', minimum: 1, maximum: 9 }, place: { type: 'array' } } },
    read: (file) => files[file] ?? '',
    units: ['a.service', 'b.timer'],
  });
  const list = (...items: string[]): string[] => ['.Bl -tag -width Ds', ...items, '.El'];
  const way = ['.It Fl \\-way Ar WAY', 'Which way.', 'One of', '.Dq up ,', '.Dq down .'];
  t.strictSame(filled.trim().split('\n'), [
    ...['.Nm', '.Cm go', '.Op Fl \\-json', '.Op Fl \\-way Ar WAY', '.Op Ar WHERE ...'],
    ...list('.It Cm go Op Ar WHERE ...', 'Goes.', 'Far.', ...list(...way)),
    ...list('.It Fl \\-root Ar DIR', 'Below DIR.', '.It Fl \\-help', 'Display help for command.'),
    ...list(
      ...['.It Va count No = 3', 'How many.', 'An integer from 1 to 9.'],
      ...[
        '.It Va place',
        'Where.',
        '.Bd -literal -offset indent',
        '[[place]]',
        'name = \\(dqa\\-b\\(dq',
        '.Ed',
      ],
    ),
    ...list('.It Pa a.service', 'Does it.', '.It Pa b.timer', 'Begin it.'),
  ]);
  t.throws(
    () => papers.manPage('offline-update.8', { ...sources, read: () => '@WHAT@' }),
    /nobody knows @WHAT@/,
  );
  t.end();
});

void t.test('exit statuses and verdicts are those of the program', (t) => {
  t.strictSame(listed('EXIT STATUS').map(Number), Object.values(exitCodes));
  t.strictSame([...listed('VERDICTS')].sort(), [...verdicts].sort());
  t.end();
});

void t.test('the files that the pages name are installed, or known to the program', (t) => {
  const update = Object.values(pathsOfUpdate(pathsBelow(), 'ID')) as string[];
  const paths = Object.values(pathsBelow()).flat() as string[];
  const installed = [
    ...papers.files.map(({ to }) => to),
    ...papers.folders,
    ...papers.links.map(({ at }) => at),
  ];
  const restore = `${pathsBelow().fallbacks}/ID/restore`;
  const known = new Set([
    restore,
    ...paths,
    ...paths.map((path) => `${path}.claimed`),
    ...update,
    ...installed,
  ]);
  const isFolder = (path: string): boolean => installed.some((file) => file.startsWith(`${path}/`));
  const ofOthers = new Set(['/', '/dev/null', '/boot', '/run/systemd/generator.early']);
  const named = pages.flatMap(({ text }) =>
    [...text.matchAll(/\bPa (\/.*)$/gm)].flatMap(([, rest = '']) => pathsIn(rest)),
  );
  t.ok(named.length > 30, `${named.length} of them`);
  t.strictSame(
    named.filter((path) => !known.has(path) && !ofOthers.has(path) && !isFolder(path)),
    [],
  );
  t.end();
});

/** The arguments of one line of macros: `Pa /a/ Ns Ar ID Ns Pa /b , Pa /c`. */
function pathsIn(line: string): string[] {
  const joined = line.replaceAll(/ Ns (?:Ar|Pa) /g, '').replaceAll(/ (?:Pa )/g, ' ');
  return joined
    .split(' ')
    .filter((word) => word.startsWith('/'))
    .map((word) => word.replace(/\/(?:\*\.toml)?$/, '') || '/');
}

void t.test('a page that is referred to is there: by pages, units and the catalog', (t) => {
  const there = new Set(papers.manPages.map((name) => name.replace(/\.(\d)$/, '($1)')));
  const texts = [
    ...sources.units.map((name) => `units/${name}`),
    'packaging/offline-update.catalog',
    'packaging/config.toml',
  ];
  const named = [
    ...pages.flatMap(({ text }) => [...text.matchAll(/^\.Xr (offline-update\S*) (\d)/gm)]),
    ...texts.flatMap((file) => [
      ...readFileSync(join(root, file), 'utf8').matchAll(/(?<![\w.-])(offline-update[\w.-]*)\((\d)\)/g),
    ]),
  ].map(([, name, number]) => `${name}(${number})`);
  t.ok(named.length > 20);
  t.strictSame(
    named.filter((each) => !there.has(each)),
    [],
  );
  t.end();
});
