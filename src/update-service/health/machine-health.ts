/** What the health checks ask of the machine; fakes give a boot of their own. */
import { setTimeout } from 'node:timers/promises';
import type { RunCommand } from '../../host/command.js';
import { readNetwork, type NetworkInterface } from '../../host/network-state.js';
import { readSystemState, readUnitStates, type UnitState } from '../../host/unit-states.js';

export interface MachineHealth {
  units(): Promise<UnitState[]>;
  network(): Promise<NetworkInterface[]>;
  /** As `systemctl is-system-running` says it. */
  systemState(): Promise<string>;
  /** What systemd and the journal have to say of units, for a person. */
  describe(units: readonly string[]): Promise<string>;
  /** The clock of the units' times. */
  monotonicSeconds(): number;
  pause(seconds: number): Promise<void>;
}

const LINES_OF_EACH_UNIT = 10;

export function machineHealth(run: RunCommand): MachineHealth {
  return {
    units: () => readUnitStates(run),
    network: () => readNetwork(),
    systemState: () => readSystemState(run),
    async describe(units) {
      const args = ['status', '--no-pager', '--full', `--lines=${LINES_OF_EACH_UNIT}`, '--', ...units];
      return (await run('systemctl', args, { timeoutSeconds: 30 })).stdout;
    },
    monotonicSeconds: () => Number(process.hrtime.bigint()) / 1e9,
    pause: (seconds) => setTimeout(seconds * 1000),
  };
}
