/**
 * The rungs of a systemd machine, from the gentlest to the last:
 *
 * 1. logind, method with flags (v248): tells the sessions, waits for delay locks.
 * 2. logind, old method.
 * 3. PID 1 by D-Bus: the target itself, by a job that nothing may undo. Never `Manager.Reboot`: that one skips the
 *    stop of units and the unmounting.
 * 4. systemctl, as it would go itself. It has two regressions of its own without a bus (systemd#35416, #35757).
 * 5. systemctl, straight to PID 1 over its private socket: needs neither bus nor logind.
 * 6. A real-time signal to PID 1, which needs nothing at all.
 */
import { existsSync } from 'node:fs';
import type { BusCall } from './bus.js';
import { systemBusAddress } from './bus-address.js';
import type { RunCommand } from './command.js';
import { runCommand } from './command.js';
import { HostError, isHostError } from './host-error.js';
import { BLOCKED_BY_INHIBITOR, logind } from './logind.js';
import type { PowerAction, PowerRung } from './power.js';

export interface SystemPowerOptions {
  busAddress?: string;
  /** For each call on the bus. logind is often started by the first one. */
  deadlineMilliseconds?: number;
  /**
   * Since v257 a block inhibitor stops root, too. `override` (default, for the update boot, where an orphaned apt
   * may hold one) goes on; `respect` ends the ladder with `POWER_INHIBITED` (for a person's own machine).
   */
  inhibitors?: 'override' | 'respect';
  runCommand?: RunCommand;
  signalPid1?: (signal: number) => void;
  /** Its presence tells that PID 1 knows soft-reboot (v254). */
  softRebootTarget?: string;
}

export function systemPowerRungs(options: SystemPowerOptions = {}): PowerRung[] {
  const {
    busAddress = systemBusAddress(),
    deadlineMilliseconds = 10_000,
    inhibitors = 'override',
    signalPid1 = signalInit,
    softRebootTarget = '/usr/lib/systemd/system/soft-reboot.target',
  } = options;
  const run = options.runCommand ?? runCommand;

  const call = async (request: BusCall): Promise<void> => {
    const { callOnce } = await import('./bus.js'); // as late as can be: scripts/build.mjs
    await callOnce(request, busAddress, deadlineMilliseconds);
  };

  /** One method of logind; when an inhibitor lock forbids it, `again` is tried, or the ladder ends. */
  const login = async (request: BusCall, again?: BusCall): Promise<void> => {
    try {
      await call(request);
    } catch (error) {
      if (!isHostError(error, 'BUS_REFUSED') || error.busErrorName !== BLOCKED_BY_INHIBITOR) throw error;
      if (inhibitors === 'respect') {
        throw new HostError('POWER_INHIBITED', error.message, { cause: error });
      }
      if (again === undefined) throw error;
      await call(again);
    }
  };

  const systemctl = async (args: readonly string[]): Promise<void> => {
    const result = await run('systemctl', args, {
      // nothing inherited: with SYSTEMD_OFFLINE=1, which our package manager runs under, it would do nothing and exit 0
      extendEnv: false,
      env: {
        PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        LC_ALL: 'C',
        // it would turn a reboot into kexec or soft-reboot (v255)
        SYSTEMCTL_SKIP_AUTO_KEXEC: '1',
        SYSTEMCTL_SKIP_AUTO_SOFT_REBOOT: '1',
      },
      timeoutSeconds: systemctlTimeoutSeconds,
    });
    if (result.exitCode === 0) return;
    const reason = result.stderr.trim() || `exit status ${result.exitCode ?? result.signal ?? 'unknown'}`;
    throw new HostError('COMMAND_FAILED', `systemctl ${args.join(' ')}: ${reason}`);
  };

  return [
    {
      name: 'logind',
      ask: (action) => login(withFlags(action, 0n), withFlags(action, skipInhibitors)),
    },
    {
      name: 'logind, old method',
      async ask(action) {
        if (action === 'soft-reboot' || action === 'kexec') throw new Error(`this method knows no ${action}`);
        const member = action === 'reboot' ? 'Reboot' : 'PowerOff';
        await login({ ...logind, member, signature: 'b', body: [false] });
      },
    },
    {
      name: 'PID 1 by D-Bus',
      ask: (action) =>
        call({
          ...manager,
          member: 'StartUnit',
          signature: 'ss',
          body: [`${action}.target`, 'replace-irreversibly'],
        }),
    },
    { name: 'systemctl', ask: (action) => systemctl(['--no-block', action]) },
    {
      name: 'systemctl, PID 1',
      ask: (action) =>
        systemctl(['--no-block', '--job-mode=replace-irreversibly', 'start', `${action}.target`]),
    },
    {
      name: 'signal to PID 1',
      ask: (action) => {
        // An older PID 1 ignores the signal it does not know, and nobody would hear of it. A reboot does all that a
        // soft-reboot does.
        const known = action === 'soft-reboot' && !existsSync(softRebootTarget) ? 'reboot' : action;
        return new Promise((resolve) => {
          signalPid1(realTimeSignal(initSignals[known]));
          resolve();
        });
      },
    },
  ];
}

const manager = {
  destination: 'org.freedesktop.systemd1',
  path: '/org/freedesktop/systemd1',
  interface: 'org.freedesktop.systemd1.Manager',
};
/**
 * SD_LOGIND_REBOOT_VIA_KEXEC, by which a logind that finds no kernel loaded reboots; SD_LOGIND_SOFT_REBOOT (v254);
 * SD_LOGIND_SKIP_INHIBITORS (v257).
 */
const ways: Partial<Record<PowerAction, bigint>> = { kexec: 0x02n, 'soft-reboot': 0x04n };
const skipInhibitors = 0x10n;
/** More than the 25 s that systemctl waits for a logind that keeps silent, before it asks PID 1. */
const systemctlTimeoutSeconds = 60;
/** systemd(1), Signals: SIGRTMIN+n starts the target with replace-irreversibly. */
const initSignals: Record<PowerAction, number> = { poweroff: 4, reboot: 5, kexec: 6, 'soft-reboot': 7 };

function withFlags(action: PowerAction, flags: bigint): BusCall {
  const member = action === 'poweroff' ? 'PowerOffWithFlags' : 'RebootWithFlags';
  return {
    ...logind,
    member,
    signature: 't',
    body: [flags | (ways[action] ?? 0n)],
  };
}

/** SIGRTMIN is 34 for a program of glibc, which keeps 32 and 33 to itself. */
function realTimeSignal(n: number): number {
  return 34 + n;
}

function signalInit(signal: number): void {
  if (!existsSync('/run/systemd/system')) throw new Error('PID 1 is not systemd');
  process.kill(1, signal); // Node has no names for real-time signals, but takes their numbers
}
