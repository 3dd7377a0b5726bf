/** The methods of the interface: what is wrong with a call is told first, then whether its caller may, then it is done. */
import type { BusMethods } from '../host/bus-object.js';
import { asUpdateError, errorDocument } from '../update/errors.js';
import type { Authority } from './authority.js';
import { busErrorOf } from './bus-error.js';
import type { Job, JobEnd, Jobs } from './jobs.js';
import type { Operations } from './operations.js';
import { actionOption, prepareOptions, triggerOptions, typedPrepare } from './options.js';

/** The command has no verb for it. */
const SET_ACTION =
  'busctl call org.offlineupdate1 /org/offlineupdate1 org.offlineupdate1.Manager SetAction s';

export function busMethods(does: Operations, work: Jobs, authority: Authority): BusMethods {
  return {
    async GetState() {
      return [JSON.stringify(await does.status())];
    },
    async Prepare([given], caller) {
      const options = prepareOptions(given);
      await authority.permit('prepare', caller, typedPrepare(options));
      return [
        await work.begin(
          'prepare',
          () => does.mayPrepare(),
          () => does.prepare(options),
        ),
      ];
    },
    async Trigger([given], caller) {
      const options = triggerOptions(given);
      await authority.permit('trigger', caller, 'offline-update trigger');
      return [
        await work.begin(
          'trigger',
          () => does.mayTrigger(),
          () => does.trigger(options),
        ),
      ];
    },
    async Cancel(_, caller) {
      await authority.permit('manage', caller, 'offline-update cancel');
      if (await does.giveUp()) await work.settled();
      else await does.cancel();
      return [];
    },
    async SetAction([given], caller) {
      const action = actionOption(given);
      await authority.permit('manage', caller, `${SET_ACTION} ${action}`);
      await does.setAction(action);
      return [];
    },
  };
}

/** The body of the signal `Finished`. */
export function finishedBody({ number, operation }: Job, end: JobEnd): unknown[] {
  if (end.result) return [number, operation, '', '', JSON.stringify(end.result)];
  const { name, text } = busErrorOf(end.error);
  return [number, operation, name, text, JSON.stringify(errorDocument(asUpdateError(end.error)))];
}
