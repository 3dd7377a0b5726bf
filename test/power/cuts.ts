/**
 * How many power cuts are tried in each recording: few for each change, many in `npm run test:power`. By environment:
 * OFFLINE_UPDATE_POWER_STATES, OFFLINE_UPDATE_POWER_BOOTS, and OFFLINE_UPDATE_POWER_SEED, which is another one each time.
 */
import type { Cuts } from './power-cuts.js';

export function cuts(): Cuts {
  const { env } = process;
  return {
    states: Number(env.OFFLINE_UPDATE_POWER_STATES ?? 110),
    boots: Number(env.OFFLINE_UPDATE_POWER_BOOTS ?? 11),
    seed: Number(env.OFFLINE_UPDATE_POWER_SEED ?? Math.floor(Math.random() * 1e9)),
  };
}
