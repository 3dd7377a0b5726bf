// The verbs and options that the shells complete. What a verb does is told by `offline-update --help`; a test compares
// the names here with the command itself.

const json = ['--json', 'print JSON'];

/** `arguments`: what follows the options: an update of the history, an installed or new package, or nothing. */
export const verbs = [
  {
    name: 'prepare',
    about: 'plan, download and seal an update',
    options: [
      ['--full', 'also remove packages where the upgrade needs it'],
      ['--refresh', 'fetch the package lists first'],
      ['--no-refresh', 'use the package lists as they are'],
      ['--from', 'take the plan of a package manager plugin', 'file'],
      json,
    ],
    arguments: 'package',
  },
  {
    name: 'trigger',
    about: 'install the prepared update in the next boot',
    options: [
      ['--action', 'how the update boot ends', ['auto', 'reboot', 'soft-reboot', 'poweroff']],
      ['--now', 'reboot into the update at once'],
      json,
    ],
  },
  {
    name: 'status',
    about: 'what is prepared, armed or running',
    options: [json, ['--follow', 'go on as it changes']],
  },
  { name: 'cancel', about: 'disarm, keep the download', options: [json] },
  { name: 'clean', about: 'drop the prepared update, unblock', options: [json] },
  { name: 'log', about: 'what happened, line by line', options: [json], arguments: 'update' },
  { name: 'history', about: 'all updates and how they ended', options: [json] },
  { name: 'report', about: 'the report of one update', options: [json], arguments: 'update' },
];

export const globalOptions = [
  ['--help', 'show help'],
  ['--version', 'show the version'],
];
