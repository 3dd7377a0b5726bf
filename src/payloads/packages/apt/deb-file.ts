/** A .deb as a file: what its control data says, read by `dpkg-deb`. Errors: `REQUEST_INVALID` when it is no .deb. */
import type { RunCommand } from '../../../host/command.js';
import { UpdateError } from '../../../update/errors.js';
import { aptEnvironment } from './apt-environment.js';
import { parseStanzas, type Stanza } from './control-stanzas.js';

async function controlOf(runCommand: RunCommand, path: string): Promise<Stanza> {
  const result = await runCommand('dpkg-deb', ['--field', path], {
    env: aptEnvironment(),
    extendEnv: false,
  });
  const [stanza] = parseStanzas(result.stdout);
  if (result.exitCode === 0 && stanza) return stanza;
  throw new UpdateError('REQUEST_INVALID', `${path} is no Debian package: ${result.stderr.trim()}`);
}

/** As many at a time as keep two cores busy; in the order of `paths`. */
export async function controlsOf(runCommand: RunCommand, paths: readonly string[]): Promise<Stanza[]> {
  const controls: Stanza[] = [];
  const queue = paths.entries();
  const worker = async (): Promise<void> => {
    for (const [at, path] of queue) controls[at] = await controlOf(runCommand, path);
  };
  await Promise.all(Array.from({ length: Math.min(4, paths.length) }, worker));
  return controls;
}
