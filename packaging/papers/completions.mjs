// The completion scripts for bash, zsh and fish, made from the command line itself (the `Command` of commander that
// src/cli/cli.ts makes), so that they never tell anything else. Hidden verbs are left out.

const history = '/var/lib/offline-update/updates';
const heading = '# Completion of offline-update(8); made from the command itself.';

/**
 * What the three need of a command. The `value` of an option is undefined (it takes none), the choices, or what its
 * argument is called: `file`, `dir`, or anything else, for which nothing can be offered.
 */
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

function describeOption({ long, flags, description, argChoices }) {
  const [, argument] = /[<[](\w+)/.exec(flags) ?? [];
  return { name: long, about: plain(description), value: argChoices ?? argument };
}

/** Quotes and brackets have a meaning to the shells. */
const plain = (text) => text.replaceAll(/['"`$\\]/g, '').replaceAll(/[[\]]/g, '');

const names = (options) => options.map(({ name }) => name).join(' ');

function optionsWithValue({ options, verbs }) {
  const all = [...options, ...verbs.flatMap((verb) => verb.options)].filter(({ value }) => value);
  return [...new Map(all.map((option) => [option.name, option])).values()];
}

export function bashCompletion({ program }) {
  const described = describe(program);
  const { options, verbs } = described;
  const words = {
    package: 'apt-cache --no-generate pkgnames "$cur" 2>/dev/null',
    id: `compgen -W "$(ls ${history} 2>/dev/null)" -- "$cur"`,
  };
  const values = optionsWithValue(described);
  const cases = (lines) => lines.map((line) => `    ${line} ;;`).join('\n');
  const verbLines = verbs.map((verb) => `${verb.name}/-*) compgen -W "${names(verb.options)}" -- "$cur"`);
  const argumentLines = verbs
    .filter(({ argument }) => argument in words)
    .map(({ name, argument }) => `${name}/*) ${words[argument]}`);
  return `${heading}
_offline_update_words() { # VERB OPTION CURRENT: what may stand there, a line each
  local verb=$1 cur=$3
  case $2 in
${cases(values.map(({ name, value }) => `${name}) ${bashValue(value)}; return`))}
  esac
  case $verb/$cur in
    /*) compgen -W "${verbs.map(({ name }) => name).join(' ')} ${names(options)}" -- "$cur" ;;
${cases([...verbLines, ...argumentLines])}
  esac
}
_offline_update() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} verb= i
  # bash splits --action=reboot in three
  if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      --root) ((++i)); [[ \${COMP_WORDS[i]} != = ]] || ((++i)) ;;
      -* | =) ;;
      *) verb=\${COMP_WORDS[i]}; break ;;
    esac
  done
  case $prev in ${fileOptions(values)}) compopt -o filenames 2>/dev/null ;; esac
  mapfile -t COMPREPLY < <(_offline_update_words "$verb" "$prev" "$cur")
}
complete -F _offline_update offline-update
`;
}

function fileOptions(values) {
  return values
    .filter(({ value }) => value === 'file' || value === 'dir')
    .map(({ name }) => name)
    .join(' | ');
}

function bashValue(value) {
  if (typeof value !== 'string') return `compgen -W "${value.join(' ')}" -- "$cur"`;
  return { file: 'compgen -f -- "$cur"', dir: 'compgen -d -- "$cur"' }[value] ?? ':';
}

export function zshCompletion({ program }) {
  const { options, verbs } = describe(program);
  const actions = {
    package: "'*:package:_deb_packages avail'",
    id: `'1:update:_path_files -/ -W ${history}'`,
  };
  const verbLines = verbs.map((verb) => {
    const last = verb.argument in actions ? [actions[verb.argument]] : [];
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
  if (value === undefined) return `'${name}[${about}]'`;
  if (typeof value !== 'string') return `'${name}[${about}]:value:(${value.join(' ')})'`;
  return `'${name}[${about}]:${value}:${{ file: '_files', dir: '_files -/' }[value] ?? ' '}'`;
}

export function fishCompletion({ program }) {
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
      ...(verb.argument in sources ? [line(`${seen(verb.name)} -a '${sources[verb.argument]}'`)] : []),
    ]),
    '',
  ].join('\n');
}

function fishOption({ name, about, value }) {
  const long = `-l ${name.slice(2)} -d '${about}'`;
  if (value === undefined) return long;
  if (typeof value !== 'string') return `${long} -xa '${value.join(' ')}'`;
  return `${long}${{ file: ' -rF', dir: " -xa '(__fish_complete_directories)'" }[value] ?? ' -x'}`;
}
