/** Completion, asked of the real shells. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { papers, sources } from './paper-modules.js';

const fixtures = join(import.meta.dirname, '../fixtures');
const environment = { ...process.env, LC_ALL: 'C.UTF-8' };
const lacks = (shell: string): string | false =>
  spawnSync(shell, ['-c', 'true']).error ? `${shell} is not installed` : false;

/** Folders to complete, and the text of a completion under its name. */
function folderWith(t: Test, name: string, text: string): string {
  const folder = t.testdir({ 'plan.json': '{}', place: {} });
  mkdirSync(join(folder, 'functions'));
  writeFileSync(join(folder, 'functions', name), text);
  return folder;
}

/** What is typed, and what is offered then, in the order of bytes; `@` stands for the folder. */
const offers: [typed: string, offered: string[]][] = [
  ['c', ['cancel', 'clean']],
  ['--v', ['--version']],
  ['--root @/pl', ['@/place']],
  ['log --j', ['--journal', '--json']],
  ['trigger --action re', ['reboot']],
  ['prepare --from @/pl', ['@/place', '@/plan.json']],
];

function isOffered(t: Test, folder: string, complete: (line: string) => string): void {
  for (const [typed, offered] of offers) {
    const lines = complete(`offline-update ${typed.replace('@', folder)}`).split('\n');
    const words = lines.map((line) => line.split('\t')[0]?.replace(/\/$/, '') ?? '').filter(Boolean);
    // zsh offers names of files without what has been typed before them
    const short = (word: string): string => word.replace(`${folder}/`, '@/').replace(/^(?!@|-)(?=pla)/, '@/');
    t.strictSame([...new Set(words.map(short))].sort(), offered, typed);
  }
  t.end();
}

void t.test('bash completes verbs, options, their values and files', (t) => {
  const folder = folderWith(t, 'offline-update', papers.bashCompletion(sources));
  const script = `source "$1"; shift; COMP_CWORD=$(($# - 1)) COMP_WORDS=("$@"); _offline_update; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const complete = (words: string[]): string =>
    execFileSync('bash', ['-c', script, 'bash', join(folder, 'functions/offline-update'), ...words], {
      encoding: 'utf8',
      env: environment,
    });
  t.equal(
    complete(['offline-update', 'trigger', '--action', '=', 'so']),
    'soft-reboot\n',
    'as bash splits words',
  );
  t.equal(complete(['offline-update', '--root', '/mnt', 'roll']), 'rollback\n', 'after a global option');
  isOffered(t, folder, (line) => complete(line.split(' ')));
});

void t.test('fish completes the same', { skip: lacks('fish') }, (t) => {
  const folder = folderWith(t, 'offline-update.fish', papers.fishCompletion(sources));
  isOffered(t, folder, (line) =>
    execFileSync(
      'fish',
      [
        '-N',
        '-c',
        'source $argv[1]; complete -C $argv[2]',
        join(folder, 'functions/offline-update.fish'),
        line,
      ],
      {
        encoding: 'utf8',
        env: { ...environment, HOME: folder },
      },
    ),
  );
});

void t.test('zsh completes the same', { skip: lacks('zsh') }, (t) => {
  const folder = folderWith(t, '_offline-update', papers.zshCompletion(sources));
  isOffered(t, folder, (line) =>
    execFileSync('zsh', ['-f', join(fixtures, 'complete.zsh'), join(folder, 'functions'), line], {
      encoding: 'utf8',
      env: { ...environment, HOME: folder },
    }),
  );
});
