/** What an ordinary boot pays: our generator stub against systemd's own generator for the same links. */
import { hyperfine } from '../in-machine.js';
import type { Measurement } from '../measurement.js';

const folder = '/usr/lib/systemd/system-generators';
const trace = '/srv/node-was-started';

export const generator: Measurement = {
  name: 'generator',
  about: 'the generator in a boot without an update',
  measure: async (bench) =>
    bench.withMachine(await bench.installed(), async (machine) => {
      await machine.start();
      await machine.exec('mkdir /run/normal /run/early /run/late');
      // Node would be seen: any start of it leaves a trace.
      await machine.exec('mv /usr/bin/node /usr/bin/node.kept');
      await machine.write('/usr/bin/node', `#!/bin/sh\n: >${trace}\nexec /usr/bin/node.kept "$@"\n`);
      const args = '/run/normal /run/early /run/late';
      const [ours = [], theirs = []] = await hyperfine(
        machine,
        [`${folder}/offline-update-generator ${args}`, `${folder}/systemd-system-update-generator ${args}`],
        { runs: 50, rounds: 4 },
      );
      if (machine.exists(trace)) throw new Error('the generator stub started Node.js without any link');
      await machine.exec(['/usr/bin/node', '--version']);
      if (!machine.exists(trace)) throw new Error('a start of Node.js would not have been seen');
      return [
        {
          what: 'generator, no link (no Node.js is started)',
          unit: 'ms',
          ours,
          peer: { name: "systemd's own generator", values: theirs },
          target: { ratio: 0.5 },
        },
      ];
    }),
};
