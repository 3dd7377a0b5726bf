/**
 * The composition root of the command. What starts slowly (the payload, the bus) is loaded when a verb asks for it.
 */
import { runCommand } from '../host/command.js';
import { fileSystem } from '../host/file-system.js';
import type { Payload, Stage } from '../payloads/payload.js';
import type { HostFacts } from '../prepare/host-facts.js';
import type { Scheduler } from '../prepare/when/scheduler.js';
import type { RehearsalMachine } from '../prepare/rehearse/rehearse.js';
import type { Announcer } from '../update/announce.js';
import type { WayIn } from '../update/events.js';
import { pathsBelow, type Paths } from '../update/paths.js';
import type { PayloadPlan } from '../update/plan.js';
import type { Policy } from '../update/policy.js';
import { hostFacts } from './machine.js';
import { tellingPorts, type TellingPorts } from './telling-ports.js';

export interface CliPayload extends Payload<PayloadPlan> {
  /** The plan of a package manager's plugin: `from` is a file, or `-` for the standard input. */
  planFromPlugin(from: string, stage: Stage, policy: Policy): Promise<PayloadPlan>;
}

export interface CliPorts extends TellingPorts {
  facts: HostFacts;
  payload(): Promise<CliPayload>;
  rehearsal(): Promise<RehearsalMachine>;
  scheduler(): Promise<Scheduler>;
  /** Errors: `CONFIG_INVALID`. */
  policy(): Promise<Policy>;
  /** The line that the person typed; undefined where nobody can be asked. */
  ask(question: string): Promise<string | undefined>;
  /** Resolves with the name of what took the request. Errors: HostError `POWER_REFUSED`. */
  leave(way: WayIn, log: (line: string) => void): Promise<string>;
}

/** What an event is told with is loaded when there is one; Node itself waits until all is told. */
function announceLate(paths: Paths): Announcer['event'] {
  let loaded: Promise<Announcer> | undefined;
  const load = async (): Promise<Announcer> => {
    const [{ announcer }, { systemLog }, { readPolicy }] = await Promise.all([
      import('../update/announce.js'),
      import('../host/system-log.js'),
      import('../update/policy.js'),
    ]);
    const log = systemLog({ run: runCommand, output: { write: () => true } });
    return announcer({ fs: fileSystem, paths, log, policy: () => readPolicy(fileSystem, paths) });
  };
  return (...event) => {
    loaded ??= load();
    void loaded.then((announce) => {
      announce.event(...event);
    });
  };
}

export async function systemPorts(root: string): Promise<CliPorts> {
  const telling = await tellingPorts(root, announceLate(pathsBelow(root)));
  const { paths, fs, files, moment } = telling.online;
  return {
    ...telling,
    facts: hostFacts(root, runCommand),
    async payload() {
      const [{ aptPayload }, { planFromPlugin }, { startJob }] = await Promise.all([
        import('../payloads/packages/apt/apt-payload.js'),
        import('../payloads/packages/apt/plugin-request.js'),
        import('../host/job.js'),
      ]);
      const dependencies = { paths, fs, files, run: runCommand, startJob };
      return {
        ...aptPayload(dependencies),
        planFromPlugin: (from, stage, policy) => planFromPlugin(dependencies, from, stage, policy),
      };
    },
    async rehearsal() {
      const { rehearsalMachine } = await import('./rehearsal-machine.js');
      return rehearsalMachine(paths, runCommand, await telling.snapshots());
    },
    async scheduler() {
      if (root !== '/') return (await import('./other-root.js')).noScheduler;
      return (await import('./system-scheduler.js')).systemScheduler(runCommand, moment.now);
    },
    async policy() {
      return (await import('../update/policy.js')).readPolicy(fs, paths);
    },
    async ask(question) {
      return (await import('../host/ask.js')).askPerson(question);
    },
    async leave(way, log) {
      const { powerLadder, systemPowerRungs } = await import('../host/power.js');
      return powerLadder(systemPowerRungs({ runCommand, inhibitors: 'respect' }), log)(way);
    },
  };
}
