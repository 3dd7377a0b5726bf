/** The power is cut at every instant of an update, and again in the boots that follow (docs/power-cuts.md). */
import t from 'tap';
import { explore, type Failure } from './model/explore.js';
import { breadth, stories } from './stories.js';

/** What went wrong, each kind once, with the instants at which the power was cut. */
function told(failures: readonly Failure[]): string[] {
  const kinds = new Map<string, Set<string>>();
  for (const { cuts, problems } of failures) {
    const kind = problems.join('; ');
    kinds.set(kind, (kinds.get(kind) ?? new Set()).add(cuts.join(', then ')));
  }
  return [...kinds].map(([kind, cuts]) => `${kind}, after a cut at: ${[...cuts].slice(0, 5).join(' | ')}`);
}

for (const story of stories) {
  void t.test(`invariants 3, 4 and 5: ${story.name}, cut at every instant`, async (t) => {
    const { states, ends, failures } = await explore(story, breadth);
    const counts = [...ends].map(([end, count]) => `${count} ${end}`).join('; ');
    t.comment(`${states} states, up to ${breadth.cuts} cuts, seed ${breadth.seed}: ${counts}`);
    t.strictSame(told(failures), []);
  });
}
