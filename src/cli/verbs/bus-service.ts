/** `bus-service`: org.offlineupdate1 on the system bus. For offline-update-bus.service, which the bus starts. */
import { UpdateError } from '../../update/errors.js';
import { exitCodes } from '../exit-codes.js';
import { onInterrupt } from '../interrupt.js';
import type { Verb } from '../verb.js';
import { version } from '../version.js';

interface Options {
  idleSeconds: string;
}

export const busService: Verb = (program, invoke) => {
  program
    .command('bus-service', { hidden: true })
    .summary('for offline-update-bus.service only')
    .option('--idle-seconds <seconds>', 'end when nobody asked anything for so long', '60')
    .action(
      invoke<Options>({
        failed: 'the service on the bus has ended',
        needsRoot: true,
        async run({ options, ports, out }) {
          const { serve } = await import('../../bus-service/serve.js');
          const { machineOf } = await import('../preflight-machine.js');
          const idleSeconds = Number(options.idleSeconds);
          if (!(idleSeconds >= 0)) {
            throw new UpdateError(
              'USAGE',
              `--idle-seconds ${options.idleSeconds} is not a number of seconds`,
            );
          }
          const { endChildren } = await import('../../host/process-tree.js');
          const { fs, paths } = ports.online;
          const settle = onInterrupt(() => {
            out.note('interrupted: what was under way was not finished');
          });
          await serve({
            ports: { ...ports, machine: () => machineOf(ports), endChildren },
            version,
            xml: await fs.readFile(paths.busInterface),
            idleSeconds,
            onEnding() {
              // systemd ends a service that lets its name go
              process.on('SIGTERM', () => undefined);
              settle();
            },
          });
          return exitCodes.done;
        },
      }),
    );
};
