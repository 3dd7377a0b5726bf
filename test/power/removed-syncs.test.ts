/** The proof that recorded disks see what they are there for: without one of the product's syncs there are exceptions. */
import t from 'tap';
import { LaboratoryError, type Machine } from '../laboratory/laboratory.js';
import { cuts } from './cuts.js';
import { inWords, surveyStates } from './power-cuts.js';
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
    original: 'runShortCommand("sync",["--file-system"',
    replacement: 'runShortCommand("true",["--file-system"',
  },
  {
    name: 'ext4: no file is synced, so rows of the journal come after what they announce',
    variant: ext4Resume,
    around: ['"event":"installing"'],
    original: 'await handle.sync()',
    replacement: 'handle.fd',
  },
];

/** States are tried until one is an exception. What a file system happens to have written by itself needs no sync, so that may take a while. */
const mostStates = 240;

for (const { name, variant, around, original, replacement } of mutants) {
  void t.test(`a removed sync is caught: ${name}`, async (t) => {
    const recording = await recordUpdate(variant, (machine) => replaceOnce(machine, original, replacement));
    t.teardown(() => {
      recording.dispose();
    });
    const { seed } = cuts();
    let tried = 0;
    const { exceptions } = await surveyStates(
      recording,
      { states: mostStates, seed, around },
      (_image, _point, judgement) => {
        tried += 1;
        return Promise.resolve(judgement.problems.length === 0);
      },
    );
    t.comment(`seed ${seed}: after ${tried} states`);
    for (const exception of exceptions) t.comment(inWords(exception));
    t.equal(exceptions.length, 1, 'a state is neither old nor new');
  });
}

async function replaceOnce(machine: Machine, original: string, replacement: string): Promise<void> {
  const parts = (await machine.read(service)).split(original);
  if (parts.length !== 2) throw new LaboratoryError(`${service} holds ${original} ${parts.length - 1} times`);
  await machine.write(service, parts.join(replacement));
}
