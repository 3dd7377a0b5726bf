/** The proof that recorded disks see what they are there for: without one of the product's syncs there are exceptions. */
import t, { type Test } from 'tap';
import { LaboratoryError, type Machine } from '../laboratory/laboratory.js';
import { cuts } from './cuts.js';
import { inWords, surveyStates, type Exception } from './power-cuts.js';
import { recordUpdate } from './recording.js';
import { btrfsFallback, ext4Resume, type Variant } from './variants.js';

const service = '/usr/lib/offline-update/update-service.cjs';

interface Mutant {
  name: string;
  variant: Variant;
  /** Rows of the journal: where the missing sync shows. */
  around: readonly string[];
  /** In the installed bundle; must be there exactly once. */
  original: string;
  replacement: string;
}

const mutants: readonly Mutant[] = [
  {
    name: 'btrfs: no file system is synced, neither before the first change nor before the commit',
    variant: btrfsFallback,
    around: ['"event":"installed"', '"phase":"commit"', '"note":"leaving"'],
    original: 'runCommand("sync",["--file-system"',
    replacement: 'runCommand("true",["--file-system"',
  },
  {
    name: 'ext4: no file is synced, so rows of the journal come after what they announce',
    variant: ext4Resume,
    around: ['"event":"installing"'],
    original: 'await handle.sync()',
    replacement: 'handle.fd',
  },
];

/**
 * States are tried until one is an exception. What a file system happens to have written by itself needs no sync, so that
 * may take a while, and another recording.
 */
const [mostStates, mostRecordings] = [240, 3];

for (const mutant of mutants) {
  void t.test(`a removed sync is caught: ${mutant.name}`, async (t) => {
    const { seed } = cuts();
    let exceptions: readonly Exception[] = [];
    for (let recordings = 0; recordings < mostRecordings && exceptions.length === 0; recordings += 1) {
      exceptions = await firstException(t, mutant, seed + recordings);
    }
    for (const exception of exceptions) t.comment(inWords(exception));
    t.equal(exceptions.length, 1, 'a state is neither old nor new');
  });
}

async function firstException(
  t: Test,
  { variant, around, original, replacement }: Mutant,
  seed: number,
): Promise<readonly Exception[]> {
  const recording = await recordUpdate(variant, (machine) => replaceOnce(machine, original, replacement));
  try {
    let tried = 0;
    const options = { states: mostStates, seed, around };
    const { exceptions } = await surveyStates(recording, options, (_image, _point, { problems }) => {
      tried += 1;
      return Promise.resolve(problems.length === 0);
    });
    t.comment(`seed ${seed}: after ${tried} states`);
    return exceptions;
  } finally {
    recording.dispose();
  }
}

async function replaceOnce(machine: Machine, original: string, replacement: string): Promise<void> {
  const parts = (await machine.read(service)).split(original);
  if (parts.length !== 2) throw new LaboratoryError(`${service} holds ${original} ${parts.length - 1} times`);
  await machine.write(service, parts.join(replacement));
}
