// The completion scripts for bash, zsh and fish, made from the command line itself (the `Command` of commander that
// src/cli/cli.ts makes), so that they never tell anything else. Hidden verbs are left out.

const history = '/var/lib/offline-update/updates';
const heading = '# Completion of offline-update(8); made from the command itself.';

/** What the three need of a command: `value` is undefined, 'file', or the choices. */
function describe(program) {
  const help = program.createHelp();
  const optionsOf = (command) => help.visibleOptions(command).map(describeOption);
  return {
    options: optionsOf(program),
    verbs: help.visibleCommands(program).map((command) => ({
      name: command.name(),
      about: command.summary(),
      options: optionsOf(command),
      argument: command.registeredArguments[0]?.name(),
    })),
  };
}

function describeOption({ long, description, argChoices, required }) {
  return { name: long, about: plain(description), value: argChoices ?? (required ? 'file' : undefined) };
}

/** Quotes and brackets have a meaning to the shells. */
const plain = (text) => text.replaceAll(/['"`$\\]/g, '').replaceAll(/[[\]]/g, '');

const names = (options) => options.map(({ name }) => name).join(' ');

export function bashCompletion(program) {
  const { options, verbs } = describe(program);
  const words = {
    package: '$(compgen -W "$(apt-cache --no-generate pkgnames "$cur" 2>/dev/null)" -- "$cur")',
    id: `$(compgen -W "$(ls ${history} 2>/dev/null)" -- "$cur")`,
  };
  const values = [...options, ...verbs.flatMap((verb) => verb.options)].filter(({ value }) => value);
  const verbLines = verbs.map(
    (verb) => `    ${verb.name}/-*) COMPREPLY=($(compgen -W "${names(verb.options)}" -- "$cur")) ;;`,
  );
  const argumentLines = verbs
    .filter(({ argument }) => argument)
    .map(({ name, argument }) => `    ${name}/*) COMPREPLY=(${words[argument]}) ;;`);
  return `${heading}
_offline_update() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} verb=\${COMP_WORDS[1]}
  case $prev in
${values.map(({ name, value }) => `    ${name}) COMPREPLY=(${bashValue(value)}); return ;;`).join('\n')}
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${verbs.map(({ name }) => name).join(' ')} ${names(options)}" -- "$cur"))
    return
  fi
  case $verb/$cur in
${[...verbLines, ...argumentLines].join('\n')}
  esac
}
complete -F _offline_update offline-update
`;
}

function bashValue(value) {
  return value === 'file' ? '$(compgen -f -- "$cur")' : `$(compgen -W "${value.join(' ')}" -- "$cur")`;
}

export function zshCompletion(program) {
  const { options, verbs } = describe(program);
  const actions = {
    package: "'*:package:_deb_packages avail'",
    id: `'1:update:_path_files -/ -W ${history}'`,
  };
  const verbLines = verbs.map((verb) => {
    const last = verb.argument ? [actions[verb.argument]] : [];
    return `        ${verb.name}) _arguments ${[...verb.options.map(zshOption), ...last].join(' ')} ;;`;
  });
  return `#compdef offline-update
${heading}
_offline-update() {
  local line state
  _arguments -C ${options.map(zshOption).join(' ')} '1:verb:->verb' '*::argument:->argument'
  case $state in
    verb)
      local -a verbs=(
${verbs.map(({ name, about }) => `        '${name}:${plain(about)}'`).join('\n')}
      )
      _describe verb verbs
      ;;
    argument)
      case $line[1] in
${verbLines.join('\n')}
      esac
      ;;
  esac
}
_offline-update "$@"
`;
}

function zshOption({ name, about, value }) {
  const suffix = value === 'file' ? ':file:_files' : value ? `:value:(${value.join(' ')})` : '';
  return `'${name}[${about}]${suffix}'`;
}

export function fishCompletion(program) {
  const { options, verbs } = describe(program);
  const line = (rest) => `complete -c offline-update ${rest}`;
  const seen = (name) => `-n '__fish_seen_subcommand_from ${name}'`;
  const sources = { package: '(__fish_print_apt_packages)', id: `(ls ${history} 2>/dev/null)` };
  return [
    heading,
    line('-f'),
    ...options.map((each) => line(`-n __fish_use_subcommand ${fishOption(each)}`)),
    ...verbs.flatMap((verb) => [
      line(`-n __fish_use_subcommand -a ${verb.name} -d '${plain(verb.about)}'`),
      ...verb.options.map((each) => line(`${seen(verb.name)} ${fishOption(each)}`)),
      ...(verb.argument ? [line(`${seen(verb.name)} -a '${sources[verb.argument]}'`)] : []),
    ]),
    '',
  ].join('\n');
}

function fishOption({ name, about, value }) {
  const suffix = value === 'file' ? ' -rF' : value ? ` -xa '${value.join(' ')}'` : '';
  return `-l ${name.slice(2)} -d '${about}'${suffix}`;
}
