/** `log [ID]`: what the package manager and its scripts printed. */
import { isErrno } from '../../host/host-error.js';
import { UpdateError } from '../../update/errors.js';
import { exitCodes } from '../exit-codes.js';
import { journalCommand } from '../../update/journal-command.js';
import { oneUpdate } from '../one-update.js';
import type { TellingVerb } from '../verb.js';

interface Options {
  journal?: boolean;
}

export const log: TellingVerb = (program, invoke) => {
  program
    .command('log')
    .summary('what was printed while the update was installed')
    .description(
      'Shows the output of the package manager and its scripts, of hooks, of checks, and what systemd said of units that\n' +
        'failed. Without ID: of the last update.',
    )
    .argument('[id]', 'an id from offline-update history')
    .option('--journal', 'show what the update service wrote to the journal instead')
    .option('--json', 'print JSON')
    .action(
      invoke<Options>({
        failed: 'there is no log',
        async run({ words: [id], typed, options, ports, out }) {
          const { store, fs } = ports.online;
          const update = await oneUpdate(store, id);
          const command = journalCommand(update.journal.rows);
          const path = update.paths.terminalLog;
          let text: string;
          if (options.journal === true) {
            const [program = '', ...words] = command;
            const result = await ports.run(program, [...words, '--no-pager', '--output=short-iso']);
            if (result.exitCode !== 0)
              // Not everybody may read it, and it may have forgotten that boot.
              throw new UpdateError('INTERNAL', result.stderr, {
                hint: ports.isRoot ? `offline-update log ${update.id}` : `sudo ${typed}`,
              });
            text = result.stdout;
          } else {
            text = await fs.readFile(path).catch((error: unknown) => {
              if (!isErrno(error, 'ENOENT')) throw error;
              throw new UpdateError(
                'NOTHING_TO_DO',
                `update ${update.id} has not been installed: there is no log`,
                {
                  hint: `offline-update report ${update.id}`,
                },
              );
            });
          }
          out.line(text.trimEnd());
          if (options.journal !== true) out.note(`See also: ${command.join(' ')}`);
          out.json({ id: update.id, path, journal: command.join(' '), text });
          return exitCodes.done;
        },
      }),
    );
};
