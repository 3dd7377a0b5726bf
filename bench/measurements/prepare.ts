/**
 * `prepare` of a hundred packages, hashing, sealing and all, against the download alone by apt: such as a real update
 * has them; tiny ones, with which it is the start of programs that counts; and of one and ten megabytes each.
 */
import { debOf, putRepository, type Layer, type Machine } from '../../test/laboratory/laboratory.js';
import { packageCount } from '../bench-machines.js';
import { secondsOf } from '../in-machine.js';
import type { Bench, Measurement, Result } from '../measurement.js';

interface Way {
  what: string;
  ours: string;
  peer: string;
  target?: { ratio: number };
  before?: (machine: Machine) => Promise<void>;
}

const releasePackages = 65_000;

/**
 * Kilobytes of the packages in Debian's security archive for release 13 (binary-amd64 of 2026-11-21, without debug
 * symbols), smallest first: the middle of each twentieth.
 */
const securityKilobytes = [
  ...[11, 22, 25, 33, 45, 60, 85, 119, 166, 224],
  ...[298, 386, 468, 576, 811, 1048, 2002, 2882, 7518, 48_592],
];

/** New packages of these sizes in turn. */
function newPackages(what: string, kilobytes: readonly number[], way: Partial<Way> = {}): Way {
  const sizes = Array.from({ length: packageCount }, (_, index) => kilobytes[index % kilobytes.length] ?? 0);
  const megabytes = Math.round(sizes.reduce((sum, each) => sum + each, 0) / 1000);
  const suite = `of-${megabytes}-megabytes`;
  const nameOf = (_: unknown, index: number) => `lab-${suite}-${index + 1}`;
  const names = sizes.map(nameOf).join(' ');
  return {
    what: `${what} (${megabytes} MB)`,
    ours: `offline-update prepare --no-refresh ${names}`,
    peer: `apt-get --download-only --yes install ${names}`,
    ...way,
    async before(machine) {
      await way.before?.(machine);
      const debs = sizes.map((size, index) =>
        debOf({ name: nameOf(size, index), version: '1.0', sizeBytes: size * 1000 }),
      );
      await putRepository(machine, debs, { suite, folder: `/srv/${suite}` });
      await machine.run('apt-get update --quiet=2');
    },
  };
}

const ways: readonly Way[] = [
  newPackages(
    '100 packages in the sizes of the security archive, beside the lists of a release',
    securityKilobytes,
    {
      before: offerWholeRelease,
      target: { ratio: 1.25 },
    },
  ),
  {
    what: '100 tiny packages',
    ours: 'offline-update prepare --no-refresh',
    peer: 'apt-get --download-only --yes upgrade',
    target: { ratio: 1.25 },
  },
  {
    what: 'of it the start of Node.js alone',
    ours: 'node --eval 0',
    peer: 'apt-get --download-only --yes upgrade',
  },
  {
    what: '100 tiny packages, with the refresh of the lists',
    ours: 'offline-update prepare',
    peer: 'apt-get update && apt-get --download-only --yes upgrade',
  },
  {
    what: '100 tiny packages, beside the lists of a whole release',
    ours: 'offline-update prepare --no-refresh',
    peer: 'apt-get --download-only --yes upgrade',
    before: offerWholeRelease,
  },
  newPackages('100 packages of 1 MB', [1000], { target: { ratio: 1.25 } }),
  newPackages('100 packages of 10 MB', [10_000], { target: { ratio: 1.25 } }),
];

export const prepare: Measurement = {
  name: 'prepare',
  about: `prepare of ${packageCount} packages from a local repository`,
  async measure(bench) {
    const installed = await bench.installed();
    const results: Result[] = [];
    for (const way of ways) results.push(await compare(bench, installed, way));
    return results;
  },
};

/** As many packages as Debian 13 has in main, none of them installed: what apt has to read on every real machine. */
async function offerWholeRelease(machine: Machine): Promise<void> {
  const stanza = (_: unknown, index: number) => `Package: lab-unused-${index}
Version: ${index}.0-1
Installed-Size: 100
Maintainer: Laboratory <laboratory@localhost>
Architecture: all
Depends: lab-unused-${Math.floor(index / 2)} (>= 1.0), lab-unused-${Math.floor(index / 3)}
Description: package number ${index} of a whole release
Section: misc
Priority: optional
Filename: ./lab-unused-${index}_${index}.0-1_all.deb
Size: 1000
SHA256: ${index.toString(16).padStart(64, '0')}
`;
  await machine.write('/srv/release/Packages', Array.from({ length: releasePackages }, stanza).join('\n'));
  await machine.write('/etc/apt/sources.list.d/release.list', 'deb [trusted=yes] copy:/srv/release ./\n');
  await machine.run('apt-get update --quiet=2');
}

async function compare(bench: Bench, layer: Layer, way: Way): Promise<Result> {
  return bench.withMachine(layer, async (machine) => {
    await way.before?.(machine);
    await machine.start();
    const once = async (line: string): Promise<number> => {
      // each run downloads everything anew
      await machine.exec('apt-get clean; offline-update clean >/dev/null 2>&1; sync', { check: false });
      return secondsOf(machine, line);
    };
    for (const line of [way.ours, way.peer]) await once(line); // warm
    const [ours, peer]: [number[], number[]] = [[], []];
    for (let run = 0; run < bench.runs; run += 1) {
      ours.push(await once(way.ours));
      peer.push(await once(way.peer));
    }
    const name = `\`${way.peer.replace(/ lab-.*/, ' …')}\``;
    const { target } = way;
    return {
      what: `\`prepare\`, ${way.what}`,
      unit: 's',
      ours,
      peer: { name, values: peer },
      ...(target && { target }),
    };
  });
}
