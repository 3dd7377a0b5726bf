/** A machine that runs out of power in the middle survives it, but the update starts again: better on mains. */
import type { Finding } from '../../../update/finding.js';
import type { Check, PreflightContext } from '../context.js';
import { systemFile, systemFolder } from './system-file.js';

const folder = '/sys/class/power_supply';
/** Of the fullest battery, below which an update on battery is not begun. */
const LEAST_PERCENT = 30;

export const powerSupply: Check = {
  id: 'power-supply',
  async run(context) {
    const supplies = await Promise.all(
      (await systemFolder(context, folder)).map((name) => readSupply(context, name)),
    );
    const batteries = supplies.filter(({ type, scope }) => type === 'Battery' && scope !== 'Device');
    const mains = supplies.filter(({ type }) => type === 'Mains' || type === 'USB');
    const isCharged =
      mains.some(({ online }) => online) || batteries.some(({ status }) => status === 'Charging');
    if (batteries.length === 0 || isCharged) return [];
    const percent = Math.max(...batteries.map((battery) => battery.percent));
    return [onBattery(percent, context.policy.requireAcPower)];
  },
};

function onBattery(percent: number, isForbidden: boolean): Finding {
  return {
    check: 'power-supply',
    severity: isForbidden || percent < LEAST_PERCENT ? 'block' : 'warn',
    evidence:
      `the machine runs on its battery, which is at ${percent} %` +
      (isForbidden ? ', and the policy requires AC power' : ''),
    remedy: 'connect it to mains power',
  };
}

async function readSupply(context: PreflightContext, name: string) {
  const read = async (file: string) =>
    ((await systemFile(context, `${folder}/${name}/${file}`)) ?? '').trim();
  const [type, scope, status, online, capacity] = await Promise.all(
    ['type', 'scope', 'status', 'online', 'capacity'].map(read),
  );
  // A battery that does not tell is not a reason to refuse.
  return { type, scope, status, online: online === '1', percent: capacity ? Number(capacity) : 100 };
}
