/** `status`: every truth at once. */
import { exitCodes } from '../exit-codes.js';
import type { Verb } from '../verb.js';
import { version } from '../version.js';

interface Options {
  verify?: boolean;
}

export const status: Verb = (program, invoke) => {
  program
    .command('status')
    .summary('what is prepared, armed or running')
    .description(
      'Tells what is prepared or armed, what the trigger links say (also those of other tools), whether the system\n' +
        'changed since, how the last update ended, and what to type next. Changes nothing.',
    )
    .option('--json', 'print JSON')
    .option('--verify', 'check the hash of every prepared file')
    .action(
      invoke<Options>({
        failed: 'the state cannot be told',
        async run({ options, ports, out }) {
          const { readStatus } = await import('../../prepare/status.js');
          const told = await readStatus(ports.online, {
            version,
            verify: options.verify ?? false,
            baseFingerprint: () => ports.baseFingerprint(),
          });
          if (!out.isJson) out.fields((await import('../pages/status-page.js')).statusRows(told));
          out.json(told);
          return exitCodes.done;
        },
      }),
    );
};
