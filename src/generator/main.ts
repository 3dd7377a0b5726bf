/**
 * The generator's entry, started by the shell stub only when a link of ours is there. systemd.generator(7): one or
 * three folders as arguments; nothing else of the system may be changed, and only /dev/kmsg can be logged to.
 *
 * Exit status 0 means: at least the plain redirect stands. Anything else makes the stub write that redirect.
 */
import { writeKernelLog } from '../host/kernel-log.js';
import { planGeneration } from './generation.js';
import { readBootFacts } from './boot-facts.js';
import { writeGeneration } from './write-generation.js';

function main(folders: readonly string[]): number {
  if (folders.length !== 1 && folders.length !== 3) {
    log('takes one or three folders as arguments');
    return 1;
  }
  const early = folders[1] ?? folders[0] ?? '';
  const facts = readBootFacts(process.env);
  const generation = planGeneration(facts);
  generation.messages.forEach(log);
  return writeGeneration(early, generation, log) ? 0 : 1;
}

function log(message: string): void {
  writeKernelLog(`offline-update-generator: ${message}`, 'notice');
}

try {
  process.exitCode = main(process.argv.slice(2));
} catch (error) {
  log(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
