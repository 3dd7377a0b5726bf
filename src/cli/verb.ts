/** What a verb is: it adds itself to the command line, and turns one call into output and an exit code. */
import type { Command } from 'commander';
import type { ExitCode } from './exit-codes.js';
import type { Output, Stream } from './output.js';
import type { CliPorts } from './ports.js';
import type { TellingPorts } from './telling-ports.js';

export interface Call<O, P> {
  /** What stands after the options. */
  words: string[];
  /** The command as it was typed, but for its root: a next step that left a word out would do something else. */
  typed: string;
  /** A next step as it is typed for the root that was asked about (`--root`). */
  step: (step: string) => string;
  options: O;
  ports: P;
  out: Output;
  stderr: Stream;
}

export interface Doing<O, P> {
  /** What the person is told when it fails, e.g. `nothing was prepared`. */
  failed: string;
  /** Refused for others, before anything is looked at. */
  needsRoot?: boolean | ((options: O) => boolean);
  /** Refused with `--root`, before anything is looked at. */
  isOfRunningSystem?: boolean;
  run(call: Call<O, P>): Promise<ExitCode>;
}

/** Makes the action of a command: errors become messages and exit codes in one place. */
export type Invoke<P> = <O>(doing: Doing<O, P>) => (...given: unknown[]) => Promise<void>;

export type Verb<P = CliPorts> = (program: Command, invoke: Invoke<P>) => void;

/** Changes nothing, and takes no lock. */
export type TellingVerb = Verb<TellingPorts>;
