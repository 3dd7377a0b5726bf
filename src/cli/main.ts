/** Entry of the `offline-update` bundle. */
import { runCli } from './cli.js';
import { HUNG_EXIT_CODE } from './exit-codes.js';
import { systemPorts } from './ports.js';

// A promise that never settles ends Node with status 0: until the verb has ended, that is a failure.
process.exitCode = HUNG_EXIT_CODE;

void runCli(process.argv.slice(2), {
  makePorts: systemPorts,
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
  user: process.geteuid?.() ?? 0,
}).then((exitCode) => {
  process.exitCode = exitCode;
});
