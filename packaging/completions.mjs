// The completion scripts for bash, zsh and fish, made from packaging/verbs.mjs by scripts/package.mjs.
import { globalOptions, verbs } from './verbs.mjs';

const history = '/var/lib/offline-update/updates';
const heading = '# Completion of offline-update(8); made from packaging/verbs.mjs.';
const names = (options) => options.map(([name]) => name).join(' ');

export function bashCompletion() {
  const words = {
    package: '$(compgen -W "$(apt-cache --no-generate pkgnames "$cur" 2>/dev/null)" -- "$cur")',
  };
  words.update = `$(compgen -W "$(ls ${history} 2>/dev/null)" -- "$cur")`;
  const values = verbs.flatMap(({ options }) => options.filter(([, , value]) => value));
  return `${heading}
_offline_update() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} verb=\${COMP_WORDS[1]}
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${verbs.map(({ name }) => name).join(' ')} ${names(globalOptions)}" -- "$cur"))
    return
  fi
  case $prev in
${values.map(([name, , value]) => `    ${name}) COMPREPLY=(${bashValue(value)}); return ;;`).join('\n')}
  esac
  case $verb/$cur in
${verbs.map(({ name, options }) => `    ${name}/-*) COMPREPLY=($(compgen -W "${names(options)} --help" -- "$cur")) ;;`).join('\n')}
${verbs
  .filter((verb) => verb.arguments)
  .map((verb) => `    ${verb.name}/*) COMPREPLY=(${words[verb.arguments]}) ;;`)
  .join('\n')}
  esac
}
complete -F _offline_update offline-update
`;
}

function bashValue(value) {
  return value === 'file' ? '$(compgen -f -- "$cur")' : `$(compgen -W "${value.join(' ')}" -- "$cur")`;
}

export function zshCompletion() {
  const actions = {
    package: "'*:package:_deb_packages avail'",
    update: `'1:update:_path_files -/ -W ${history}'`,
  };
  return `#compdef offline-update
${heading}
_offline-update() {
  local line state
  _arguments -C ${globalOptions.map(zshOption).join(' ')} '1:verb:->verb' '*::argument:->argument'
  case $state in
    verb)
      local -a verbs=(
${verbs.map(({ name, about }) => `        '${name}:${about}'`).join('\n')}
      )
      _describe verb verbs
      ;;
    argument)
      case $line[1] in
${verbs
  .map((verb) => {
    const last = verb.arguments ? [actions[verb.arguments]] : [];
    return `        ${verb.name}) _arguments ${[...verb.options.map(zshOption), ...last].join(' ')} ;;`;
  })
  .join('\n')}
      esac
      ;;
  esac
}
_offline-update "$@"
`;
}

function zshOption([name, about, value]) {
  const suffix = value === 'file' ? ':file:_files' : value ? `:value:(${value.join(' ')})` : '';
  return `'${name}[${about}]${suffix}'`;
}

export function fishCompletion() {
  const line = (rest) => `complete -c offline-update ${rest}`;
  const seen = (name) => `-n '__fish_seen_subcommand_from ${name}'`;
  const sources = { package: '(__fish_print_apt_packages)', update: `(ls ${history} 2>/dev/null)` };
  const option = ([name, about, value]) =>
    `-l ${name.slice(2)} -d '${about}'${value === 'file' ? ' -rF' : value ? ` -xa '${value.join(' ')}'` : ''}`;
  return [
    heading,
    line('-f'),
    ...globalOptions.map((each) => line(`-n __fish_use_subcommand ${option(each)}`)),
    ...verbs.flatMap((verb) => [
      line(`-n __fish_use_subcommand -a ${verb.name} -d '${verb.about}'`),
      ...verb.options.map((each) => line(`${seen(verb.name)} ${option(each)}`)),
      ...(verb.arguments ? [line(`${seen(verb.name)} -a '${sources[verb.arguments]}'`)] : []),
    ]),
    '',
  ].join('\n');
}
