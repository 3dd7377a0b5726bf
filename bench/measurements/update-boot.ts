/**
 * What the update boot costs beside the package manager: ours against a bare shell service in system-update.target that
 * runs the very same apt-get command and asks for the reboot. From sysinit.target, which both wait for, to the moment
 * when systemd begins to stop units, which is when it has got the request.
 */
import type { BootRecord, Machine } from '../../test/laboratory/laboratory.js';
import { packageCount } from '../bench-machines.js';
import { makeBare } from '../bare-service.js';
import { phasesOf } from '../phases.js';
import type { Bench, Measurement, Result } from '../measurement.js';

export const updateBoot: Measurement = {
  name: 'update-boot',
  about: `the update boot with ${packageCount} packages`,
  async measure(bench) {
    const [ours, peer]: [number[], number[]] = [[], []];
    const phases = new Map<string, number[]>();
    for (let run = 0; run < bench.runs; run += 1) {
      ours.push(await oursOnce(bench, phases));
      peer.push(await bareOnce(bench));
      bench.say(
        `run ${run + 1}: ours ${ours.at(-1)?.toFixed(3) ?? ''} s, bare ${peer.at(-1)?.toFixed(3) ?? ''} s`,
      );
    }
    const what = `update boot, ${packageCount} packages, sysinit.target to the reboot request`;
    const name = 'bare shell service, same `apt-get`';
    return [
      { what, unit: 's', ours, peer: { name, values: peer }, target: { ratio: 1.05 } },
      ...[...phases].map(([phase, values]): Result => ({
        what: `– of it, ${phase}`,
        unit: 's',
        ours: values,
      })),
    ];
  },
};

async function oursOnce(bench: Bench, phases: Map<string, number[]>): Promise<number> {
  return bench.withMachine(await bench.armed(), async (machine) => {
    const record = await machine.boot();
    const seconds = await awaySeconds(machine, record);
    const known = await phasesOf(machine);
    // what is left is the start of Node.js, the claim, and the way out
    const rest = seconds - Object.values(known).reduce((sum, each) => sum + each, 0);
    for (const [phase, value] of Object.entries({ ...known, 'start, claim, records and way out': rest })) {
      phases.set(phase, [...(phases.get(phase) ?? []), value]);
    }
    return seconds;
  });
}

async function bareOnce(bench: Bench): Promise<number> {
  return bench.withMachine(await bench.armed(), async (machine) => {
    await makeBare(machine);
    const seconds = await awaySeconds(machine, await machine.boot());
    const query = "dpkg-query --show --showformat='${db:Status-Abbrev}${Version}\\n' 'lab-tiny-*'";
    const { stdout } = await machine.run(`${query} | grep -c 'ii *2.0'`, { check: false });
    if (Number(stdout) !== packageCount)
      throw new Error(`the bare service installed ${stdout.trim()} packages`);
    return seconds;
  });
}

async function awaySeconds(machine: Machine, record: BootRecord): Promise<number> {
  if (record.ended !== 'reboot') throw new Error(`the update boot ended with ${record.ended}`);
  const rows = (await machine.journal()).filter(
    ({ fields, monotonicSeconds }) =>
      fields['_COMM'] === 'systemd' && monotonicSeconds > record.startedSeconds,
  );
  const begin = rows.find(({ message }) => message.startsWith('Reached target sysinit.target'));
  const end = rows.find(({ message }) => /^(Removed slice|Stopping|Stopped) /.test(message));
  if (!begin || !end) throw new Error('the journal does not tell when the update boot began and ended');
  return end.monotonicSeconds - begin.monotonicSeconds;
}
