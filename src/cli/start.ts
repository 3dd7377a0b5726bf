/** What the programs of the command have in common: the process around `runCli`. */
import { isErrno } from '../host/host-error.js';
import { writeAtExit } from '../host/write-at-exit.js';
import { runCli, type Program } from './cli.js';
import { exitCodes, HUNG_EXIT_CODE } from './exit-codes.js';

export function start<P>(program: Program<P>): void {
  // A promise that never settles ends Node with status 0: until the verb has ended, that is a failure.
  process.exitCode = HUNG_EXIT_CODE;

  // A reader that is gone (`| head`, a terminal that was closed) ends what is told, never what is done. An answer that a
  // full disk did not take is told by the status, and in words: the status alone would say that nothing was done.
  let lost: Error | undefined;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error) => {
      if (!isErrno(error, 'EPIPE', 'EIO')) lost ??= error;
    });
  }
  process.on('exit', (exitCode) => {
    if (lost === undefined || exitCode !== exitCodes.done) return;
    process.exitCode = exitCodes.failed;
    writeAtExit(
      process.stderr.fd,
      `offline-update: it was done, but the answer could not be written\n  why: ${lost.message}\n` +
        '  next: df -h; offline-update status\n',
    );
  });

  void runCli(process.argv.slice(2), program, {
    stdout: process.stdout,
    stderr: process.stderr,
    environment: process.env,
    user: process.geteuid?.() ?? 0,
  }).then((exitCode) => {
    process.exitCode = exitCode;
  });
}
