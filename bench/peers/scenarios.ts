/** What is installed: the same version 2 of the same packages for everybody who takes part. */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cachedFolder } from '../../test/laboratory/cache.js';
import { command } from '../../test/laboratory/command.js';
import {
  debFromFile,
  enableRealUpdates,
  largePackages,
  Machine,
  machineWithVersion1,
  rootImage,
  tinyPackages,
  version2Debs,
  withArchive,
  type Deb,
  type Layer,
} from '../../test/laboratory/laboratory.js';
import { packageUnderBench } from '../bench-machines.js';

export interface Scenario {
  name: string;
  /** What the repository offers; empty where it cannot be had here. */
  debs(): Promise<Deb[]>;
}

const mostSmall = 500;

/** By the name that `--sizes` knows. */
export const scenarios: readonly Scenario[] = [
  ...[1, 10, 100, mostSmall].map((count): Scenario => ({
    name: String(count),
    debs: () => Promise.resolve(version2Debs(tinyPackages(count))),
  })),
  { name: 'large', debs: () => Promise.resolve(version2Debs(largePackages)) },
  { name: 'debian', debs: realUpdates },
];

export function titleOf(name: string): string {
  if (name === 'large') return `${largePackages.length} packages of 20 MiB`;
  if (name === 'debian') return 'the updates of Debian 13';
  return name === '1' ? '1 small package' : `${name} small packages`;
}

/** Debian 13 with version 1 of all, our package and PackageKit; who takes part is told by what is taken away again. */
export async function everybodysLayer(): Promise<Layer> {
  const base = await peersRoot();
  const names = [...tinyPackages(mostSmall), ...largePackages];
  return machineWithVersion1(names, { base, install: [packageUnderBench()] });
}

function peersRoot(): Promise<Layer> {
  return rootImage({ packages: ['btrfs-progs', 'packagekit', 'packagekit-tools'] });
}

/** All that Debian has renewed in that root since the release, fetched once a day. */
async function realUpdates(): Promise<Deb[]> {
  const base = await peersRoot();
  const recipe = { base: base.folders, day: new Date().toISOString().slice(0, 10) };
  const folder = await cachedFolder('real-updates', 'debs', recipe, async (building) => {
    const machine = await Machine.on(base, { storage: 'disk' });
    try {
      await enableRealUpdates(machine);
      await machine.run('apt-get update && apt-get --yes --download-only upgrade', {
        ...withArchive,
        timeoutSeconds: 600,
      });
      await mkdir(join(building, 'debs'));
      const archives = machine.path('/var/cache/apt/archives');
      for (const name of await readdir(archives)) {
        if (name.endsWith('.deb')) await command(['cp', join(archives, name), join(building, 'debs')]);
      }
    } finally {
      await machine.dispose();
    }
  });
  const debs = join(folder, 'debs');
  const names = (await readdir(debs)).sort();
  return Promise.all(names.map((name) => debFromFile(join(debs, name))));
}
