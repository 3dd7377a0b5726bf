/** What is told in several places is told alike: policy, configuration file, man page, completion. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { parse } from 'smol-toml';
import t from 'tap';
import { makeProgram } from '../../src/cli/cli.js';
import { defaultPolicy } from '../../src/update/policy.js';

const root = join(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

interface Completions {
  bashCompletion: (program: Command) => string;
}
const completions = new URL('../../packaging/completions.mjs', import.meta.url).href;
const { bashCompletion } = (await import(completions)) as Completions;

const silent = { write: () => true };
const program = makeProgram(() => () => Promise.resolve(), { stdout: silent, stderr: silent });
const help = program.createHelp();
const verbs = help.visibleCommands(program);

// mdoc(7) adds one dash to each word of Fl.
const roff = read('docs/man/offline-update.8')
  .replaceAll('\\-', '-')
  .replaceAll(/^.*\bFl .*$/gm, (line) => line.replaceAll(' -', ' --'));
const section = (name: string) => roff.split(/^\.Sh /m).find((each) => each.startsWith(`${name}\n`)) ?? '';
const longOptions = (command: Command) =>
  help
    .visibleOptions(command)
    .map(({ long }) => String(long))
    .filter((long) => long !== '--help');

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

void t.test('the man page shows every verb with its options, and no other', (t) => {
  const shown = new Map<string, string[]>();
  for (const part of section('SYNOPSIS').split('.Nm\n').slice(1)) {
    const [, names = ''] = /^\.Cm (.*)$/m.exec(part) ?? [];
    const options = [...part.matchAll(/ (--[a-z-]+)/g)].flatMap(([, option]) => option ?? []);
    for (const name of names.split(' | ')) shown.set(name, options.sort());
  }
  const real = verbs.map((verb): [string, string[]] => [verb.name(), longOptions(verb).sort()]);
  t.strictSame(Object.fromEntries(shown), Object.fromEntries(real));
  t.end();
});

void t.test('the man page describes every verb and every option', (t) => {
  const commands = section('COMMANDS');
  const missing = [program, ...verbs]
    .flatMap((command) => [...longOptions(command), ...(command === program ? [] : [command.name()])])
    .filter((word) => !new RegExp(`^\\.(It )?(Fl|Cm) (.* )?${word}\\b`, 'm').test(commands));
  t.strictSame(missing, []);
  t.end();
});

void t.test('bash completes verbs, options and their values', (t) => {
  const complete = (...words: string[]) =>
    execFileSync(
      'bash',
      [
        '-c',
        `${bashCompletion(program)}\nCOMP_CWORD=$(($# - 1)) COMP_WORDS=("$@")\n_offline_update\necho "\${COMPREPLY[*]}"`,
      ].concat('bash', 'offline-update', ...words),
      { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } },
    ).trim();
  t.equal(complete('c'), 'cancel clean');
  t.equal(complete('log', '--'), '--journal --json --help');
  t.equal(complete('log', '--jo'), '--journal');
  t.equal(complete('trigger', '--action', 're'), 'reboot');
  t.end();
});
