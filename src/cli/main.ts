/** Entry of the `offline-update` bundle: the process around `runCli`. */
import { isErrno } from '../host/host-error.js';
import { beginOrBeSnapshot } from '../host/start-up-snapshot.js';
import { writeAtExit } from '../host/write-at-exit.js';
import { runCli } from './cli.js';
import { exitCodes, HUNG_EXIT_CODE } from './exit-codes.js';
import { systemPorts } from './ports.js';
import { verbs } from './verbs/verbs.js';

function main(): void {
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

  const program = { verbs, makePorts: systemPorts };
  void runCli(process.argv.slice(2), program, {
    stdout: process.stdout,
    stderr: process.stderr,
    environment: process.env,
    user: process.geteuid?.() ?? 0,
  }).then((exitCode) => {
    process.exitCode = exitCode;
  });
}

/** What the verbs load that people wait for. */
beginOrBeSnapshot(main, () =>
  Promise.all([
    import('../host/lock.js'),
    import('../host/system-log.js'),
    import('../payloads/packages/apt/apt-payload.js'),
    import('../payloads/packages/apt/base-drift.js'),
    import('../payloads/packages/apt/dpkg-database.js'),
    import('../prepare/ahead.js'),
    import('../prepare/end-of.js'),
    import('../prepare/fallbacks.js'),
    import('../prepare/live-progress.js'),
    import('../prepare/outcome.js'),
    import('../prepare/plan-summary.js'),
    import('../prepare/prepare-unattended.js'),
    import('../prepare/prepare-update.js'),
    import('../prepare/status.js'),
    import('../prepare/trigger.js'),
    import('../snapshots/machine-snapshots.js'),
    import('../update/announce.js'),
    import('../update/policy.js'),
    import('./pages/fallback-page.js'),
    import('./pages/plan-page.js'),
    import('./pages/report-page.js'),
    import('./pages/status-page.js'),
    import('./preflight-machine.js'),
  ]),
);
