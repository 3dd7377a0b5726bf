/** Packages on hold stay as they are, and what depends on their newer versions with them. */
import { inWordsOf } from './in-words.js';
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
      evidence: `on hold, and left out: ${inWordsOf(held.map(({ name }) => name))}`,
      remedy: 'apt-mark unhold PACKAGE, then: offline-update prepare',
    },
  ];
};
