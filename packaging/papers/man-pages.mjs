// The manual pages. Their prose stands in docs/man as mdoc(7); what is a fact of the program is not written there but
// filled in: verbs and options out of the command line, the policy out of its schema and packaging/config.toml, the
// units out of their files. So no page can tell anything else than what is installed.
import { literal, mdocText } from './mdoc.mjs';
import { allowedText, policyWords } from './policy-words.mjs';

/** The names of docs/man, in the order of reading. */
export const manPages = [
  'offline-update.8',
  'offline-update.toml.5',
  'offline-update.service.8',
  'offline-update-generator.8',
];

/**
 * One page. `sources`: `program`, the Command of commander; `policy`, its JSON schema; `read(file)`, a file of the
 * source tree; `units`, the names of units/ that systemd reads.
 */
export function manPage(name, sources) {
  const fill = { SYNOPSIS: synopsis, COMMANDS: commands, OPTIONS: options, KEYS: keys, UNITS: units };
  return sources.read(`docs/man/${name}`).replaceAll(/^@(\w+)@$/gm, (whole, part) => {
    if (!(part in fill)) throw new Error(`docs/man/${name}: nobody knows ${whole}`);
    return fill[part](sources);
  });
}

const list = (items) => ['.Bl -tag -width Ds', ...items, '.El'].join('\n');

function visible(program, command) {
  return program.createHelp().visibleOptions(command);
}

function argumentOf(command) {
  return command.registeredArguments.map(
    (argument) => `Ar ${argument.name().toUpperCase()}${argument.variadic ? ' ...' : ''}`,
  );
}

const dashed = ({ long }) => `Fl ${literal(long.slice(1))}`;
const withValue = (option) =>
  option.required ? `${dashed(option)} Ar ${/<(.+)>/.exec(option.flags)[1].toUpperCase()}` : dashed(option);

function synopsis({ program }) {
  return program
    .createHelp()
    .visibleCommands(program)
    .flatMap((command) => [
      '.Nm',
      `.Cm ${command.name()}`,
      ...visible(program, command)
        .filter(({ long }) => long !== '--help')
        .map((option) => `.Op ${withValue(option)}`),
      ...argumentOf(command).map((argument) => `.Op ${argument}`),
    ])
    .join('\n');
}

/** `--json` is told once for all, and `--help` too. */
const toldOnce = new Set(['--json', '--help']);

function commands({ program }) {
  const help = program.createHelp();
  const items = help.visibleCommands(program).flatMap((command) => {
    const own = visible(program, command).filter(({ long }) => !toldOnce.has(long));
    const argument = argumentOf(command).map((each) => ` Op ${each}`);
    return [
      `.It Cm ${command.name()}${argument.join('')}`,
      mdocText(command.description()),
      ...(own.length === 0 ? [] : [list(own.flatMap(optionItem))]),
    ];
  });
  return list(items);
}

function options({ program }) {
  return list(visible(program, program).flatMap(optionItem));
}

function optionItem(option) {
  const { description, argChoices: choices } = option;
  const about = description.replace(/^[a-z](?![A-Z])/, (letter) => letter.toUpperCase());
  const values = choices ? ` One of ${choices.map((each) => `"${each}"`).join(', ')}.` : '';
  return [`.It ${withValue(option)}`, mdocText(`${about}.${values}`)];
}

function keys({ policy, read }) {
  const known = new Set(Object.keys(policy.properties));
  const items = policyWords(read('packaging/config.toml')).flatMap(({ key, settings, words }) => {
    const [, value] = /^\w+ = (.*)$/.exec(settings[0]) ?? [];
    const quoted = value?.startsWith('"') ? `Dq ${literal(value.slice(1, -1))}` : literal(value ?? '');
    const example = ['.Bd -literal -offset indent', ...settings.map((line) => literal(line)), '.Ed'];
    return [
      value === undefined ? `.It Va ${key}` : `.It Va ${key} No = ${quoted}`,
      mdocText(`${words}\n${allowedText(policy.properties[key] ?? {})}`, known),
      ...(settings.length > 1 ? example : []),
    ];
  });
  return list(items);
}

/** What stands at the head of each unit file. */
function units({ units: names, read }) {
  const items = names.flatMap((name) => {
    const [head, rest] = read(`units/${name}`).split(/^\[Unit\]$/m);
    const words = head.replaceAll(/^# ?/gm, '').trim() || `${/^Description=(.*)$/m.exec(rest)[1]}.`;
    return [`.It Pa ${literal(name)}`, mdocText(words)];
  });
  return list(items);
}
