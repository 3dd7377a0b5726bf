/**
 * The way out without Node (invariant 6), cut at every instant: units/rescue, guard and the claim's ceiling as they are installed,
 * on what a dead service leaves (rescue-scenes.ts). From each state the machine comes back, whether Node starts again or
 * never (shell/comes-back.ts): wholly old or new, and the record says which and who took the links away.
 */
import t, { type Test } from 'tap';
import { scenes, type Mutant, type Scene } from './rescue-scenes.js';
import { returnsFrom } from './shell/comes-back.js';
import { trail } from './shell/dead-service.js';
import { replay } from './shell/replay.js';

const how = { allSubsetsUpTo: 2, randomSubsets: 1, statesPerInstant: 2 };
/** The package manager's own. */
const isOfOthers = (sync: string): boolean => sync.includes('lib/dpkg');

/** Ends and what is wrong, each with the step at which the power was cut. */
async function cut(
  t: Test,
  scene: Scene,
  { changes = [], without }: Partial<Mutant> = {},
): Promise<{ ends: string[]; problems: string[]; syncs: string[]; count: number }> {
  const { folder, steps } = await trail(t, scene.script, { ...scene, changes });
  const { states, syncs } = replay(steps, { root: folder.root, without, how });
  const [ends, problems] = [new Set<string>(), new Set<string>()];
  for (const { graph, at } of states) {
    for (const found of await returnsFrom(folder, graph)) {
      ends.add(found.end);
      if (!scene.ends.includes(found.end)) problems.add(`${found.end}, after a cut at: ${at}`);
      for (const problem of found.problems) problems.add(`${problem}, after a cut at: ${at}`);
    }
    if (problems.size > 0 && (without !== undefined || changes.length > 0)) break;
  }
  return { ends: [...ends].sort(), problems: [...problems], syncs, count: states.length };
}

for (const scene of scenes) {
  void t.test(`invariants 3 and 6: ${scene.what}, cut at every instant`, async (t) => {
    const { ends, problems, syncs, count } = await cut(t, scene);
    t.comment(`${count} states`);
    t.strictSame(problems, []);
    t.strictSame(ends, [...scene.ends].sort());
    const own = syncs.filter((sync) => !isOfOthers(sync) && !(sync in scene.caught));
    t.strictSame(own.sort(), Object.keys(scene.harmless).sort(), 'each sync is in the tables');
    const left = Object.entries(scene.caught).map(([without, foundBy]): Mutant => {
      return { what: `without: ${without}`, foundBy, without };
    });
    for (const mutant of [...left, ...(scene.mutants ?? [])]) {
      const found = (await cut(t, scene, mutant)).problems;
      t.ok(
        found.some((problem) => problem.startsWith(mutant.foundBy)),
        `${mutant.what}: ${found.join('; ')}`,
      );
    }
  });
}
