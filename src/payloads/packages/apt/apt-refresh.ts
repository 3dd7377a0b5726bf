/**
 * `prepare --refresh`: fetches the package indexes anew. A failure of one source is an error, too: an update planned
 * from half of the sources would silently lack what the other half knows.
 *
 * Errors: `BUSY` naming the holder of apt's lists; `SOURCE_UNSIGNED`; `PLAN_FAILED` with apt's own words.
 */
import type { RunCommand } from '../../../host/command.js';
import { UpdateError } from '../../../update/errors.js';
import { aptEnvironment } from './apt-environment.js';
import { aptError, aptWords } from './apt-error.js';
import { proxySettings } from './proxy-settings.js';

/** apt 3.0, and the ones before it: the source, and what the program that checks it has said. */
const uncheckedLine = /^W: (?:OpenPGP signature verification failed|GPG error): (.+)$/gm;

export async function refreshIndexes({ runCommand }: { runCommand: RunCommand }): Promise<void> {
  const { exitCode, stdout, stderr } = await runCommand(
    'apt-get',
    ['update', '-q', '-o', 'APT::Update::Error-Mode=any'],
    { env: { ...aptEnvironment(), ...proxySettings(process.env) }, extendEnv: false },
  );
  // an apt that does not know Error-Mode ends well with a warning
  const partial = stderr.includes('Some index files failed to download');
  if (exitCode === 0 && !partial) return;
  const output = `${stdout}\n${stderr}`;
  const unsigned = /The repository '(.+?)' (?:is not|is no longer|does not have a Release file)/.exec(output);
  if (unsigned && !output.includes('does not have a Release file')) throw refused(output);
  const words = partial && exitCode === 0 ? output.replace(/^W: /gm, 'E: ') : output;
  throw aptError('PLAN_FAILED', 'the package indexes could not be fetched', words, 'apt-get update');
}

/** apt says "not signed" of a signature that does not hold, too; what is wrong with it stands in a warning alone. */
function refused(output: string): UpdateError {
  const unchecked = [...output.matchAll(uncheckedLine)].map(([, words = '']) => words.replace(/\s+/g, ' '));
  const words = [...unchecked, aptWords(output)].join('; ');
  if (unchecked.length === 0) {
    return new UpdateError('SOURCE_UNSIGNED', `apt refuses the indexes: ${words}`, {
      hint: 'sign the repository, or write trusted=yes into its source and unsignedSources = "allow" into our policy',
    });
  }
  return new UpdateError(
    'SOURCE_UNSIGNED',
    `apt refuses the indexes, since a signature does not hold: ${words}`,
    {
      hint: 'put the right key into Signed-By of the source (sources.list(5)); if it is there, the index was changed: do not trust it',
    },
  );
}
