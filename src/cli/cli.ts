/**
 * The command line: parses, calls one verb, prints. Resolves with the exit code; never throws.
 */
import { resolve } from 'node:path';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { isErrno } from '../host/host-error.js';
import { asUpdateError, UpdateError } from '../update/errors.js';
import { exitCodeOf, exitCodes, type ExitCode } from './exit-codes.js';
import { refuseOtherRoot, stepBelow, withoutRoot } from './other-root.js';
import { output, type Stream } from './output.js';
import type { CliPorts } from './ports.js';
import { shellWords } from '../update/shell-words.js';
import { version } from './version.js';
import type { Doing, Invoke, Verb } from './verb.js';

/** What can be typed, and what it is carried out with. */
export interface Program {
  verbs: readonly Verb[];
  makePorts: (root: string) => Promise<CliPorts>;
}

export interface Surroundings {
  stdout: Stream;
  stderr: Stream;
  environment: NodeJS.ProcessEnv;
  /** Effective user id. */
  user: number;
}

/** `words`: what was typed after the name of the program. */
export async function runCli(
  words: readonly string[],
  { verbs, makePorts }: Program,
  surroundings: Surroundings,
): Promise<ExitCode> {
  let exitCode: ExitCode = exitCodes.done;
  const invoke: Invoke<CliPorts> =
    (doing) =>
    async (...given) => {
      const command = given.at(-1) as Command;
      exitCode = await carryOut(doing, { command, words }, makePorts, surroundings);
    };
  const program = makeProgram(verbs, invoke, surroundings);
  try {
    await program.parseAsync(words, { from: 'user' });
    return exitCode;
  } catch (error) {
    // commander has said what is wrong, or has shown what was asked for
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    throw error;
  }
}

export function makeProgram(
  verbs: readonly Verb[],
  invoke: Invoke<CliPorts>,
  { stdout, stderr }: Pick<Surroundings, 'stdout' | 'stderr'>,
): Command {
  const program = new Command('offline-update')
    .description(
      'Installs updates in a boot of their own, where nothing else runs, and always comes back.\n\n' +
        'The usual way:\n' +
        '  offline-update prepare     download and seal what would be upgraded\n' +
        '  offline-update trigger     let the next boot install it\n' +
        '  systemctl reboot\n' +
        '  offline-update report      what happened',
    )
    .version(version, '--version', 'print the version')
    .option('--root <dir>', 'work on the system below DIR instead of /', rootFolder, '/')
    .helpOption('--help', 'show help')
    .helpCommand(false)
    .addHelpText(
      'after',
      '\nExit status: 0 done, 1 failed, 2 usage, 3 not permitted, 4 nothing to do, 5 blocked,\n' +
        "6 busy, 7 another tool's update is armed.\n" +
        'offline-update(8) tells more, also how to get out by hand when a machine does not come back.',
    )
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      outputError: (text, write) => {
        write(text.replace(/^error: /, 'offline-update: '));
      },
    })
    .showHelpAfterError('  next: offline-update --help')
    .exitOverride();
  for (const verb of verbs) verb(program, invoke);
  for (const command of program.commands)
    command.showHelpAfterError(`  next: offline-update ${command.name()} --help`);
  return program;
}

/** `--root "$UNSET"` must not mean this very system. */
function rootFolder(word: string): string {
  if (word === '') throw new InvalidArgumentError('It is empty.');
  return resolve(word);
}

async function carryOut<O>(
  doing: Doing<O, CliPorts>,
  { command, words }: { command: Command; words: readonly string[] },
  makePorts: Program['makePorts'],
  { stdout, stderr, environment, user }: Surroundings,
): Promise<ExitCode> {
  const options = command.optsWithGlobals<O & { json?: boolean; root: string }>();
  const { root } = options;
  // `step` says for which one.
  const typed = shellWords(['offline-update', ...(root === '/' ? words : withoutRoot(words))]);
  const step = (said: string): string => stepBelow(root, said);
  const out = output({ isJson: options.json === true, stdout, stderr, environment });
  try {
    const { needsRoot = false, isOfRunningSystem = false } = doing;
    if (isOfRunningSystem) refuseOtherRoot(root, command.name(), typed);
    const isForRoot = typeof needsRoot === 'boolean' ? needsRoot : needsRoot(options);
    if (isForRoot && user !== 0) throw notPermitted(typed, 'only root may do this');
    const ports = await makePorts(root);
    return await doing.run({ words: command.args, typed, step, options, ports, out, stderr });
  } catch (error) {
    const told = isErrno(error, 'EACCES', 'EPERM')
      ? notPermitted(typed, error.message)
      : asUpdateError(error);
    out.error(doing.failed, root === '/' ? told : withHint(told, step));
    return exitCodeOf[told.code];
  }
}

function withHint(error: UpdateError, step: (said: string) => string): UpdateError {
  const { code, message, hint, findings } = error;
  return new UpdateError(code, message, { ...(hint !== undefined && { hint: step(hint) }), findings });
}

function notPermitted(typed: string, message: string): UpdateError {
  return new UpdateError('NOT_PERMITTED', message, { hint: `sudo ${typed}` });
}
