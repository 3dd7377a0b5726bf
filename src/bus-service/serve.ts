/**
 * `org.offlineupdate1`: the object /org/offlineupdate1 on the system bus, for desktops and dashboards. Started by the bus
 * when somebody asks, and ended when nobody does.
 *
 * `Prepare` and `Trigger` take longer than a caller waits: they answer with the number of a job, whose end is the signal
 * `Finished`. What is wrong with the call itself, or known at once, is told as its error.
 *
 * Errors: `BUS_*` of the host.
 */
import { parseBusInterface } from '../host/bus-interface.js';
import { ownBusObject, type BusObject } from '../host/bus-object.js';
import { polkitAuthority } from './authority.js';
import { busErrorOf } from './bus-error.js';
import { idleWatch } from './idle.js';
import { jobs } from './jobs.js';
import { busMethods, finishedBody } from './methods.js';
import { operations } from './operations.js';
import type { ServicePorts } from './ports.js';
import { changedProperties, propertiesOf, type Properties } from './properties.js';
import { stateWatch } from './state-watch.js';

const BUS_NAME = 'org.offlineupdate1';
const OBJECT_PATH = '/org/offlineupdate1';

export interface ServeParts {
  ports: ServicePorts;
  version: string;
  /** The introspection file. */
  xml: string;
  /** Default: the system bus. */
  address?: string;
  /** It ends when nobody asked anything for so long. */
  idleSeconds: number;
  /** The user who needs no permission. Default: root. */
  superuser?: number;
  /** The name is about to be let go: who asks us to end from now on only wants what we do anyway. */
  onEnding(): void;
}

/** Resolves when it has ended because nobody needs it. */
export async function serve(parts: ServeParts): Promise<void> {
  const { ports, version, xml, address, idleSeconds, superuser = 0 } = parts;
  const does = operations(ports, version);
  let object: BusObject | undefined;
  let properties: Properties = {};
  let toldProgress = '';

  const tell = (): void => {
    const before = properties;
    properties = propertiesOf({ version, ...watch.seen(), job: work.current() });
    const names = changedProperties(before, properties);
    if (names.length > 0) object?.tellChanged(names);
    const { Percent, Phase, Package, Text } = properties;
    const progress = [Percent, Phase, Package, Text];
    const text = JSON.stringify(progress);
    if (Phase !== '' && text !== toldProgress) object?.emit('Progress', ...progress);
    toldProgress = text;
  };
  const work = jobs({
    onBegin() {
      tell();
    },
    async onEnd(job, end) {
      // the last state of things first: who hears of the end finds the properties true
      await watch.look();
      object?.emit('Finished', ...finishedBody(job, end));
    },
  });
  const watch = await stateWatch(ports.online, () => {
    if (object) tell();
  });
  properties = propertiesOf({ version, ...watch.seen(), job: undefined });
  const idle = idleWatch(idleSeconds, async () => {
    await watch.look();
    const { live } = watch.seen();
    return work.current() !== undefined || (live !== undefined && live.phase !== 'done');
  });
  const started = idle.began();
  try {
    const own = await ownBusObject({
      ...(address !== undefined && { address }),
      busName: BUS_NAME,
      path: OBJECT_PATH,
      interface: parseBusInterface(xml),
      methods(given) {
        object = given;
        return busMethods(does, work, polkitAuthority({ call: given.call, superuser }));
      },
      properties: () => properties,
      errorOf: busErrorOf,
      onCall: idle.began,
    });
    started();
    await Promise.race([idle.idle, own.lost]);
    // what still comes in before the name is gone is answered, but begins no job: systemd kills one that takes long
    work.close();
    parts.onEnding();
    await own.release();
    await idle.drained();
    await own.finish();
  } finally {
    await work.settled();
    idle.end();
    watch.close();
  }
}
