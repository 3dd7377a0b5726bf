/** What is told in several places is told alike: policy, configuration file, man page, completion. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import t from 'tap';
import { defaultPolicy } from '../../src/update/policy.js';

const root = join(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

interface Completions {
  bashCompletion: () => string;
}
interface Verbs {
  verbs: { name: string; options: [string, ...unknown[]][] }[];
}
const load = (file: string) => import(new URL(`../../packaging/${file}`, import.meta.url).href) as unknown;
const { bashCompletion } = (await load('completions.mjs')) as Completions;
const { verbs } = (await load('verbs.mjs')) as Verbs;

const roff = read('docs/man/offline-update.8').replaceAll('\\-', '-');

void t.test('the installed configuration changes nothing and shows every key with its default', (t) => {
  const text = read('packaging/config.toml');
  t.strictSame({ ...parse(text) }, {});
  t.strictSame({ ...parse(text.replaceAll(/^#(\w+ = )/gm, '$1')) }, { ...defaultPolicy });
  t.end();
});

void t.test('the man page lists every policy key with its default', (t) => {
  const listed = [...roff.matchAll(/^\.It Va (\w+) No = (?:Dq )?(\S+)$/gm)].map(([, key, value]) => [
    key,
    value,
  ]);
  t.strictSame(
    listed,
    Object.entries(defaultPolicy).map(([key, value]) => [key, String(value)]),
  );
  t.end();
});

void t.test('the man page lists every verb and option that the shells complete', (t) => {
  const missing = verbs.flatMap(({ name, options }) => [
    ...(new RegExp(`^\\.(It )?Cm .*\\b${name}\\b`, 'm').test(roff) ? [] : [name]),
    ...options.map(([option]) => option).filter((option) => !roff.includes(option.slice(1))),
  ]);
  t.strictSame(missing, []);
  t.end();
});

void t.test('bash completes verbs, options and their values', (t) => {
  const complete = (...words: string[]) =>
    execFileSync(
      'bash',
      [
        '-c',
        `${bashCompletion()}\nCOMP_CWORD=$(($# - 1)) COMP_WORDS=("$@")\n_offline_update\necho "\${COMPREPLY[*]}"`,
      ].concat('bash', 'offline-update', ...words),
      { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } },
    ).trim();
  t.equal(complete('c'), 'cancel clean');
  t.equal(complete('status', '--'), '--json --follow --help');
  t.equal(complete('trigger', '--action', 're'), 'reboot');
  t.end();
});
