/** The change set of a plan as people read it. */
import type { PackageChange } from '../../update/plan.js';
import { count } from '../quantities.js';

type Change = Pick<PackageChange, 'name' | 'architecture' | 'action' | 'from' | 'to'>;

const words: Record<Change['action'], [one: string, many: string]> = {
  upgrade: ['package upgraded', 'packages upgraded'],
  install: ['new package', 'new packages'],
  downgrade: ['package DOWNGRADED', 'packages DOWNGRADED'],
  reinstall: ['package installed again', 'packages installed again'],
  remove: ['package REMOVED', 'packages REMOVED'],
};

/** `28 packages upgraded, 2 new packages`. */
export function countsText(counts: Record<Change['action'], number>): string {
  const actions = Object.keys(words) as Change['action'][];
  const said = actions
    .filter((action) => counts[action] > 0)
    .map((action) => count(counts[action], ...words[action]));
  return said.length === 0 ? 'no change' : said.join(', ');
}

/** One line a package, what goes or goes back first: it is what a person must not overlook. */
export function changeLines(changes: readonly Change[]): string[] {
  const order: Change['action'][] = ['remove', 'downgrade', 'reinstall', 'install', 'upgrade'];
  const sorted = [...changes].sort(
    (a, b) => order.indexOf(a.action) - order.indexOf(b.action) || (a.name < b.name ? -1 : 1),
  );
  const width = Math.max(0, ...sorted.map(({ name }) => name.length));
  return sorted.map((change) => `  ${change.name.padEnd(width)}  ${versions(change)}`);
}

function versions({ action, from, to }: Change): string {
  switch (action) {
    case 'install':
      return `new ${to ?? ''}`;
    case 'remove':
      return `REMOVED ${from ?? ''}`;
    case 'reinstall':
      return `again ${to ?? ''}`;
    case 'downgrade':
      return `DOWNGRADED ${from ?? ''} -> ${to ?? ''}`;
    case 'upgrade':
      return `${from ?? ''} -> ${to ?? ''}`;
  }
}
