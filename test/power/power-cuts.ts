/** Power cuts in a recorded update: each state is rebuilt, mounted and judged, and some are booted to the end. */
import type { Test } from 'tap';
import { isBackToNormal, statusOf } from '../boot/installed.js';
import { choosePoints } from '../laboratory/disk/choose-points.js';
import { CrashStates, type CrashPoint } from '../laboratory/disk/crash-states.js';
import { DiskMachine, mountDisk, rootOf } from '../laboratory/disk/disk-machine.js';
import { command, treeDifference } from '../laboratory/laboratory.js';
import { judge, type Judgement } from './judge.js';
import type { Recording } from './recording.js';

export interface Cuts {
  states: number;
  /** So many of them are booted until they settle. */
  boots: number;
  seed: number;
}

export interface SurveyOptions {
  states: number;
  seed: number;
  /** Turning texts: only states around them. */
  around?: readonly string[];
}

export interface Exception {
  point: CrashPoint;
  problems: readonly string[];
}

/** The rows of the journal at which a cut begins to mean something else. */
const turningTexts = [
  '"event":"claimed"',
  '"phase":"snapshot"',
  '"event":"installing"',
  '"event":"installed"',
  '"phase":"commit"',
  '"note":"leaving"',
  '"event":"confirmed"',
];

/** One of so many states is read as a whole. */
const readWhole = 16;

export interface Survey {
  /** How many states were found in which words. */
  tally: ReadonlyMap<string, number>;
  exceptions: readonly Exception[];
}

/** Judges the states in their order; `visit` may go on with the image. Ends early when `visit` resolves with false. */
export async function surveyStates(
  recording: Recording,
  { states, seed, around }: SurveyOptions,
  visit: (image: string, point: CrashPoint, judgement: Judgement, index: number) => Promise<boolean>,
): Promise<Survey> {
  const points = choosePoints(recording.log, {
    count: states,
    seed,
    turningTexts: around ?? turningTexts,
    evenly: around === undefined,
  });
  const rebuilt = new CrashStates(recording.log, recording.base, recording.folder.sharing);
  const tally = new Map<string, number>();
  const exceptions: Exception[] = [];
  for (const [index, point] of points.entries()) {
    const image = rebuilt.image(point);
    const judgement = await judgeImage(recording, image, index % readWhole === 0);
    const { found, outcome, problems } = judgement;
    const words = `${found}: ${outcome}`;
    tally.set(words, (tally.get(words) ?? 0) + 1);
    if (problems.length > 0) exceptions.push({ point, problems });
    if (!(await visit(image, point, judgement, index))) break;
  }
  return { tally, exceptions };
}

async function judgeImage(recording: Recording, image: string, everything: boolean): Promise<Judgement> {
  const { variant } = recording;
  const { mountPoint } = recording.folder;
  try {
    await mountDisk(image, variant.fileSystem, mountPoint);
  } catch (error) {
    return { found: 'a disk that cannot be mounted', outcome: 'old', problems: [String(error)] };
  }
  try {
    return await judge(recording, rootOf(mountPoint, variant.fileSystem), everything);
  } catch (error) {
    return { found: 'a root that cannot be read', outcome: 'old', problems: [String(error)] };
  } finally {
    await command(['umount', mountPoint]);
  }
}

/** apt has debconf register all questions of the packages beforehand; a resumed install only those that come up. */
const questions = ' /var/cache/debconf/';

/** Boots a state until it settles, and compares what it is then with what it says. */
async function bootState(
  t: Test,
  recording: Recording,
  image: string,
  { outcome }: Judgement,
): Promise<void> {
  const machine = await DiskMachine.mount(image, recording.variant.fileSystem);
  t.teardown(() => machine.dispose());
  const boots = await machine.bootUntilSettled({ args: ['--suppress-sync=yes'], timeoutSeconds: 300 });
  await isBackToNormal(t, machine, boots);
  const status = await statusOf(machine);
  t.comment(boots.map(({ ended, seconds }) => `${ended} after ${seconds.toFixed(1)} s`).join(', '));
  const isNew = status.state === 'confirmed';
  t.ok(isNew || status.state === 'reverted', `the verdict is ${status.state}`);
  if (outcome === 'new' || outcome === 'resumed') t.ok(isNew, 'what was new or half new is confirmed');
  if (outcome === 'returned') t.notOk(isNew, 'what was put back is not confirmed');
  await machine.kill();
  const tree = recording.trees.read(machine.root, false);
  const different = treeDifference(isNew ? recording.updated : recording.old, tree);
  t.strictSame(
    different.filter((line) => outcome !== 'resumed' || !line.includes(questions)),
    [],
    'as the verdict says',
  );
}

/** A test of its own for a recording: no state is an exception, and those that are booted settle. */
export async function everyCutIsSurvived(t: Test, recording: Recording, cuts: Cuts): Promise<void> {
  const { states, boots, seed } = cuts;
  const began = performance.now();
  let booted = 0;
  const { tally, exceptions } = await surveyStates(
    recording,
    cuts,
    async (image, point, judgement, index) => {
      if (judgement.problems.length > 0) t.fail(inWords({ point, problems: judgement.problems }));
      if (Math.floor(((index + 1) * boots) / states) > booted) {
        booted += 1;
        const name = `booted: cut at event ${point.at}, ${point.kind}, ${judgement.found}`;
        await t.test(name, (t) => bootState(t, recording, image, judgement));
      }
      return true;
    },
  );
  for (const [words, count] of [...tally].sort()) t.comment(`${count} states: ${words}`);
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  const { log, variant } = recording;
  const flushes = log.events.filter(({ kind }) => kind === 'flush').length;
  t.comment(`${variant.fileSystem}, ${variant.way}: ${log.events.length} events, ${flushes} flushes`);
  t.comment(
    `seed ${seed}: ${states} states, ${booted} of them booted, ${exceptions.length} exceptions, ${seconds} s`,
  );
  t.equal(exceptions.length, 0, 'every state is wholly old, wholly new, or goes on');
}

export function inWords({ point, problems }: Exception): string {
  return `cut at event ${point.at}, ${point.kind}, seed ${point.seed}: ${problems.join('; ')}`;
}
