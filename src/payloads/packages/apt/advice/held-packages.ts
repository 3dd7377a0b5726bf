/** Packages on hold stay as they are, and what depends on their newer versions with them. */
import { someOf } from '../../../../update/some-of.js';
import type { Advice } from './apt-advice.js';

export const heldPackages: Advice = async ({ database }) => {
  const held = [...(await database.states()).values()].filter(({ abbreviation }) =>
    abbreviation.startsWith('h'),
  );
  if (held.length === 0) return [];
  return [
    {
      check: 'held-packages',
      severity: 'info',
      evidence: `on hold, and left out: ${someOf(held.map(({ name }) => name).sort())}`,
      remedy: 'apt-mark unhold PACKAGE, then: offline-update prepare',
    },
  ];
};
