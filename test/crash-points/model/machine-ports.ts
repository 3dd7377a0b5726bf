/** The ports of each program of the product, ending on the model disk as one boot sees it. */
import type { RunCommand } from '../../../src/host/command.js';
import type { Online } from '../../../src/prepare/online.js';
import { btrfsSnapshots } from '../../../src/snapshots/btrfs/btrfs.js';
import { noSnapshots } from '../../../src/snapshots/none.js';
import { pathsBelow } from '../../../src/update/paths.js';
import { updateStore } from '../../../src/update/store.js';
import type { Ports } from '../../../src/update-service/ports.js';
import { fakeRunningSystem } from '../../fixtures/fake-running-system.js';
import { btrfsCommand, mountsOf, nameOf, said } from './btrfs-commands.js';
import { diskFileSystem } from './disk-file-system.js';
import { beginProgram, effectPorts, step, type Effects } from './effects.js';
import { find, type View } from './paths-on-disk.js';
import { nobodyListens } from '../../fixtures/service-ports.js';
import { healthOf } from './plain-facts.js';
import { contentOf, installedFile, standInPayload, type Fault } from './stand-in-payload.js';

/** How the root is found: ext4 without a fallback, or btrfs by the name of a subvolume or by the default one. */
export type Layout = 'plain' | 'by name' | 'by default';

const paths = pathsBelow('/');
export const HOOK = `${paths.hooksBefore}/10-note`;
export const hookFile = { path: '/etc/noted-by-hook', text: 'noted by the hook before the install\n' };

export interface MachinePorts {
  service: Ports;
  online: Online;
  bootId: string;
}

interface Boot {
  layout: Layout;
  fault: Fault;
  boots: number;
  view: View;
  effects: Effects;
}

/** Every effect of them is named after `program`. */
export function machinePorts(program: string, { layout, fault, boots, view, effects }: Boot): MachinePorts {
  beginProgram(effects, program);
  const raw = diskFileSystem(view);
  const { fs, files } = effectPorts(raw, effects);
  const packageManager = effectPorts(raw, effects, () => 'step of the package manager');
  const bootId = `boot-${boots}`;
  const moment = { now: () => new Date(0), bootId };
  const run = commands(view, effects);
  const kernel = {
    mounts: () => Promise.resolve(mountsOf(view, layout !== 'plain')),
    commandLine: () => Promise.resolve(layout === 'by name' ? ['rootflags=subvol=@'] : []),
    swapFiles: () => Promise.resolve([]),
  };
  const store = updateStore({ paths, fs, files, moment });
  const rootName = (): string | undefined =>
    layout === 'by name' ? nameOf(view.disk, find(view, '/', true)) : undefined;
  const isNew = async (): Promise<boolean> =>
    (await raw.readFile(installedFile('alpha'))) === contentOf('alpha', 'new');
  const service: Ports = {
    paths,
    fs,
    files,
    run,
    moment,
    store,
    kernel,
    payload: standInPayload({ ...packageManager, rootName, fault }),
    snapshots: layout === 'plain' ? noSnapshots : btrfsSnapshots({ paths, fs, files, run, kernel }),
    log: { write: () => undefined, entry: () => Promise.resolve() },
    askToLeave: () => Promise.reject(new Error('only in a boot that is ours to leave')),
    wakeLogin: () => Promise.resolve(),
    health: healthOf(async () => fault !== 'unhealthy' || !(await isNew())),
    announce: nobodyListens,
    runningSystem: () => fakeRunningSystem(),
    whySyncsStay: () => Promise.resolve(undefined),
    whyNodeFails: () => Promise.resolve(undefined),
  };
  const takeLock = () => Promise.resolve({ release: () => undefined });
  return { service, bootId, online: { paths, fs, files, store, moment, takeLock } };
}

function commands(view: View, effects: Effects): RunCommand {
  return async (file, args) => {
    if (file === HOOK) {
      const raw = diskFileSystem(view);
      await step(effects, 'hook', undefined, async () => {
        await raw.removeTree(hookFile.path);
        await raw.createFile(hookFile.path, hookFile.text, 0o644);
      });
      return said();
    }
    const isChange = file === 'btrfs' && /^(snapshot|delete|set-default)$/.test(args[1] ?? '');
    const act = () => Promise.resolve(btrfsCommand(view, file, args) ?? said('', 1));
    return isChange ? step(effects, `btrfs ${args[1] ?? ''}`, said(), act) : act();
  };
}
