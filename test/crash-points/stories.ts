/** The stories whose every instant is cut: what a person does, on which disk, and what the package manager does wrong. */
import type { Breadth, Story } from './model/explore.js';
import type { Machine } from './model/machine.js';

const armed = (machine: Machine): Promise<void> => machine.trigger();
const cancelled = async (machine: Machine): Promise<void> => {
  await machine.trigger();
  await machine.cancel();
};

export const withoutFallback: Story = {
  name: 'an update without a fallback',
  layout: 'plain',
  fault: 'none',
  online: armed,
};
export const byName: Story = {
  name: 'an update with a fallback, the root by name',
  layout: 'by name',
  fault: 'none',
  online: armed,
};
export const byDefault: Story = {
  name: 'an update with a fallback, the root as the default subvolume',
  layout: 'by default',
  fault: 'none',
  online: armed,
};
export const takenBack: Story = {
  name: 'an update that is armed and cancelled',
  layout: 'plain',
  fault: 'none',
  online: cancelled,
};

export const failing: Story = {
  name: 'an install that fails and is reverted',
  layout: 'by name',
  fault: 'install-fails',
  online: armed,
};
export const unhealthy: Story = {
  name: 'a machine that is not well after the update, and goes back',
  layout: 'by name',
  fault: 'unhealthy',
  online: armed,
};
const updated = async (machine: Machine): Promise<void> => {
  await machine.trigger();
  machine.shutDown();
  while ((await machine.boot()) !== 'normal');
};
const rolledBack = (machine: Machine): Promise<void> => machine.rollBack();
export const backByName: Story = {
  name: 'a rollback by hand, the root by name',
  layout: 'by name',
  fault: 'none',
  before: updated,
  online: rolledBack,
};
export const backByDefault: Story = {
  name: 'a rollback by hand, the root as the default subvolume',
  layout: 'by default',
  fault: 'none',
  before: updated,
  online: rolledBack,
};
export const usedUp: Story = {
  name: 'an update that may be tried once',
  layout: 'plain',
  fault: 'none',
  attempts: 1,
  online: armed,
};

export const stories: readonly Story[] = [
  withoutFallback,
  byName,
  byDefault,
  takenBack,
  { name: 'an install that fails and is healed', layout: 'plain', fault: 'install-fails', online: armed },
  failing,
  unhealthy,
  {
    ...unhealthy,
    name: 'a machine that is not well and goes back, the root as the default subvolume',
    layout: 'by default',
  },
  { ...unhealthy, name: 'a machine that is not well, and has no way back', layout: 'plain' },
  backByName,
  backByDefault,
  usedUp,
  {
    name: 'an install that fails and cannot be healed',
    layout: 'plain',
    fault: 'install-and-heal-fail',
    online: armed,
  },
];

/** `OFFLINE_UPDATE_CRASH_POINTS=all`: minutes instead of seconds; a number is the seed. */
const wish = process.env['OFFLINE_UPDATE_CRASH_POINTS'] ?? '';
export const isThorough = wish === 'all';

export const breadth: Breadth = isThorough
  ? {
      cuts: 3,
      statesOfLaterCuts: 4000,
      seed: 1,
      how: { allSubsetsUpTo: 5, randomSubsets: 8, statesPerInstant: 96 },
    }
  : {
      cuts: 2,
      statesOfLaterCuts: 150,
      seed: Number(wish) || 1,
      how: { allSubsetsUpTo: 4, randomSubsets: 2, statesPerInstant: 24 },
    };

/** For mutants, which are found in the first states or never. */
export const narrow: Breadth = {
  ...breadth,
  cuts: 1,
  how: { allSubsetsUpTo: 3, randomSubsets: 0, statesPerInstant: 8 },
};

/** For those that show only in a certain mixture. */
export const precise: Breadth = {
  ...narrow,
  statesOfLaterCuts: 1200,
  how: { allSubsetsUpTo: 4, randomSubsets: 2, statesPerInstant: 32 },
};
