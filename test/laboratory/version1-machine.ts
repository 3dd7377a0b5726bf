import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cachedFolder } from './cache.js';
import type { Deb } from './deb-builder.js';
import { debOf } from './deb-builder.js';
import { fixturePackages } from './fixture-packages.js';
import { LaboratoryError } from './laboratory-error.js';
import type { Layer } from './machine.js';
import { Machine } from './machine.js';
import type { RepositoryOptions } from './repository.js';
import { putRepository } from './repository.js';
import { rootImage } from './root-image.js';

export interface Version1Options {
  /** Default: the plain root image. */
  base?: Layer;
  repository?: RepositoryOptions;
  /** A .deb that is installed too, with `apt-get install` (its dependencies are in the root already): our own package. */
  install?: readonly string[];
}

/** Raise it when the way of building changes. */
const recipeVersion = 1;
/** The conffile of lab-conffile as an administrator changed it. */
const changedConffile = '# as the administrator wants it\nvalue=42\n';

/** Builds version 2 of all the names that have one, and version 2 of what they pull in. */
export function version2Debs(names: readonly string[]): Deb[] {
  const more = names.includes('lab-needs-more') ? ['lab-more'] : [];
  return [...names, ...more].flatMap((name) => {
    const spec = fixture(name).v2;
    return spec ? [debOf(spec)] : [];
  });
}

function fixture(name: string) {
  const found = fixturePackages.get(name);
  if (!found) throw new LaboratoryError(`there is no fixture package ${name}`);
  return found;
}

/**
 * A machine that has version 1 of the named fixture packages, and their version 2 in a signed repository that it knows
 * (`apt-get update` has been run). lab-conffile's conffile is changed. Made once for each selection, then a matter of milliseconds.
 */
export async function machineWithVersion1(
  names: readonly string[],
  options: Version1Options = {},
): Promise<Layer> {
  const base = options.base ?? (await rootImage());
  const installed = names.flatMap((name) => fixture(name).v1 ?? []).map(debOf);
  const offered = version2Debs(names);
  const own = await Promise.all((options.install ?? []).map((path) => readFile(path)));
  const repository = options.repository ?? {};
  const recipe = {
    recipeVersion,
    base: base.folders,
    debs: [...installed, ...offered].map((deb) => deb.sha256),
    own: own.map((content) => createHash('sha256').update(content).digest('hex')),
    repository: { ...repository, indexFields: [...(repository.indexFields ?? [])] },
  };
  const folder = await cachedFolder('layers', 'version1', recipe, async (building) => {
    const machine = await Machine.on(base, { storageFolder: building });
    try {
      await mkdir(machine.path('/srv/install'), { recursive: true });
      for (const deb of installed) await writeFile(machine.path(`/srv/install/${deb.fileName}`), deb.content);
      for (const [index, content] of own.entries()) {
        await writeFile(machine.path(`/srv/install/own${index}.deb`), content);
      }
      // Without the syncs of dpkg: the layer is written to the disk as a whole at the end.
      if (installed.length + own.length > 0) {
        await machine.run(
          'DEBIAN_FRONTEND=noninteractive dpkg --install --force-unsafe-io /srv/install/*.deb',
          {
            args: ['--suppress-sync=yes'],
          },
        );
      }
      await machine.remove('/srv/install');
      if (names.includes('lab-conffile')) await machine.write('/etc/lab-conffile.conf', changedConffile);
      await putRepository(machine, offered, repository);
      await machine.run('apt-get update --quiet=2');
      await machine.freeze();
    } finally {
      await machine.dispose();
    }
  });
  return { folders: [join(folder, 'upper'), ...base.folders] };
}
