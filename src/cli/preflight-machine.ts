/** All that the preflight needs but the update itself. */
import type { PreflightContext } from '../prepare/preflight/context.js';
import { failedBefore } from '../prepare/failed-before.js';
import type { CliPorts } from './ports.js';

export async function machineOf(ports: CliPorts): Promise<Omit<PreflightContext, 'staged'>> {
  const { paths, fs } = ports.online;
  const [policy, payload, snapshots] = await Promise.all([
    ports.policy(),
    ports.payload(),
    ports.snapshots(),
  ]);
  return {
    paths,
    fs,
    facts: ports.facts,
    policy,
    payload,
    snapshots,
    failedBefore: (plan) => failedBefore(ports.online, plan),
  };
}
