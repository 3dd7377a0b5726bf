/**
 * The model of the claim, which every crash point is built on, against units/claim as it is installed: what it changes
 * on the disk, what it syncs, and in which order. The real script runs below a folder, with programs in its path that note
 * what the disk looked like when they were called.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import t from 'tap';
import { fileSystem } from '../../src/host/file-system.js';
import { pathsBelow } from '../../src/update/paths.js';
import { recordingFileSystem } from '../fixtures/recording-file-system.js';
import { putScripts, scriptIn } from '../fixtures/rooted-scripts.js';
import { claim } from './model/claim.js';

/** Links below the root, by name. */
type Links = Record<string, string>;

const ours = '/var/lib/system-update';
const copies = 'var/lib/offline-update/fallbacks';
const scenes: [string, Links, number][] = [
  ['armed', { 'system-update': ours }, 0],
  ['armed in /etc', { 'etc/system-update': '../var/lib/system-update' }, 0],
  ['claimed by an attempt that was cut short', { 'system-update.claimed': 'var/lib/system-update' }, 0],
  ['claimed in /etc', { 'etc/system-update.claimed': ours }, 0],
  ['armed again over a claim', { 'system-update': ours, 'system-update.claimed': ours }, 0],
  ['armed, beside the copy of another one', { 'system-update': ours, [`${copies}/armed`]: 'other' }, 0],
  ['armed, beside a copy that was put back', { 'system-update': ours, [`${copies}/restored`]: 'other' }, 0],
  ['to be put back', { 'system-update.claimed': ours, [`${copies}/armed`]: 'this' }, 255],
  ['of another tool', { 'system-update': '/var/cache/PackageKit', 'etc/system-update': ours }, 1],
  ['of nobody', {}, 1],
];

function furnish(root: string, links: Links): void {
  for (const folder of ['etc', 'run', 'var/lib/offline-update/fallbacks']) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  for (const [name, target] of Object.entries(links)) symlinkSync(target, join(root, name));
}

/** Programs that a script could change or sync the disk with; its own redirections show in what they find changed. */
const noted = [
  'cat',
  'chmod',
  'cp',
  'dd',
  'install',
  'ln',
  'mkdir',
  'mv',
  'rm',
  'rmdir',
  'sync',
  'touch',
  'wc',
];

interface Done {
  status: number | null;
  /** In the words of the recording layer. */
  lines: string[];
}

function realClaim(root: string, outside: string): Done {
  putScripts(root);
  const log = join(outside, 'log');
  const note = (words: string): string =>
    `{ printf 'CALL %s\\n' "${words}"; find ${root} -path ${root}/run -prune -o -printf '%P\\t%y\\t%l\\t%s\\n'; } >>${log}`;
  for (const name of noted) {
    const shim = `#!/bin/sh\nPATH=/usr/bin:/bin\n${note(`${name} $*`)}\nexec ${name} "$@"\n`;
    writeFileSync(join(outside, name), shim, { mode: 0o755 });
  }
  const script = `. ${scriptIn(root, 'claim')}`;
  const env = { PATH: `${outside}:/usr/bin:/bin`, LAB_ROOT: root };
  const { status } = spawnSync(
    '/bin/sh',
    ['-c', `trap '${note('end').replaceAll("'", `'\\''`)}' EXIT; ${script}`],
    {
      env,
    },
  );
  return { status, lines: linesOf(readFileSync(log, 'utf8'), root) };
}

/** One line for each change between two looks at the disk, and for each sync. */
function linesOf(log: string, root: string): string[] {
  const lines: string[] = [];
  let before: Map<string, string> | undefined;
  for (const part of log.split(/^CALL /m).slice(1)) {
    const [words = '', ...entries] = part.trimEnd().split('\n');
    const now = new Map(
      entries.filter((entry) => !/\td\t/.test(entry)).map((entry) => [entry.split('\t')[0] ?? '', entry]),
    );
    if (before) lines.push(...changes(before, now));
    before = now;
    const [name, path = ''] = words.split(' ');
    if (name !== 'sync') continue;
    lines.push(`${statSync(path).isDirectory() ? 'syncFolder' : 'syncFile'} ${relative(root, path) || '.'}`);
  }
  // A file that a redirection makes is there before what is written to it.
  return lines.filter((line, at) => line !== lines[at - 1]);
}

function changes(before: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): string[] {
  const renamed = [...before.keys()].filter((path) => !now.has(path) && now.has(`${path}.claimed`));
  const changed = [...now].filter(([path, entry]) => before.get(path) !== entry).map(([path]) => path);
  return [
    ...[...before.keys()]
      .filter((path) => !now.has(path) && !renamed.includes(path))
      .map((path) => `unlink ${path}`),
    ...renamed.map((path) => `rename ${path} ${path}.claimed`),
    ...changed
      .filter((path) => !renamed.some((from) => `${from}.claimed` === path))
      .map((path) => `appendFile ${path}`),
  ];
}

async function modelOfClaim(root: string): Promise<Done> {
  const { fs, takeLines } = recordingFileSystem(fileSystem, { root });
  const status = await claim(fs, pathsBelow(root), 'this boot');
  return { status, lines: takeLines().map((line) => line.replace(/ ".*"$/, '')) };
}

for (const [what, links, status] of scenes) {
  void t.test(`invariant 2: the claim of an update that is ${what}`, async (t) => {
    const [root, other] = [t.testdir({ real: {}, model: {}, outside: {} })].flatMap((folder) => [
      join(folder, 'real'),
      join(folder, 'model'),
    ]) as [string, string];
    furnish(root, links);
    furnish(other, links);
    const real = realClaim(root, join(root, '../outside'));
    t.equal(real.status, status);
    t.strictSame(await modelOfClaim(other), real);
  });
}
