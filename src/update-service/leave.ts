/** The end of the update boot: links away, then the wished end (invariants 11 and 13). */
import { join } from 'node:path';
import { exists } from '../host/exists.js';
import type { PowerAction } from '../host/power.js';
import { asUpdateError } from '../update/errors.js';
import { withoutKexec } from '../update/kexec.js';
import type { Plan } from '../update/plan.js';
import type { KnownUpdate } from '../update/store.js';
import { readLinkTruth } from '../update/trigger-link.js';
import { CLAIMED_SUFFIX } from '../update/paths.js';
import { saveReport } from './close.js';
import { loadKernel, unloadKernel } from './kexec.js';
import type { Ports } from './ports.js';
import type { Leaving } from './way-out.js';

/** Resolves when the machine is on its way out. Rejects only when nobody can be asked; the rescue unit is next then. */
export async function leave(
  ports: Ports,
  update: KnownUpdate | undefined,
  wished: Leaving,
  plan?: Plan,
): Promise<void> {
  // The next boot has to lead back here: the rescue unit puts back the copy that could not be put back in this boot.
  const goesOn = await exists(ports.fs, ports.paths.copyArmed);
  if (!goesOn && !(await dropLinks(ports))) {
    ports.log.write('error', 'a link of ours cannot be removed: no reboot, on to the normal target');
    // Where even that fails, the guard, which comes after us, tries it once more, and reboots.
    await ports.run(join(ports.paths.library, 'leave'), ['stay']);
    return;
  }
  const { action, by, because } = await askFor(ports, goesOn ? goesOnNext : wished);
  // /run outlives a soft-reboot: what says "this is an update boot" must not, nor what is going on in it. First of all,
  // since a row that a full disk does not take is the end of this process.
  await ports.files.remove(ports.paths.updateBoot);
  if (action === 'soft-reboot') await ports.files.remove(ports.paths.statusFile);
  // The shutdown that was asked for waits until this process ends, so there is time for the last row.
  if (update) {
    await update.journal.append({
      note: 'leaving',
      action,
      by,
      ...(because !== undefined && { because }),
    });
    // Everybody waits for our end. Lost, there is the report of the verdict, or the confirmation writes one.
    await saveReport(ports, update, plan, (...words) => ports.files.replaceLazily(...words));
  }
}

const goesOnNext: Leaving = { way: 'reboot', because: 'the next boot puts back what the update replaced' };

interface Left {
  action: PowerAction;
  by: string;
  because: string | undefined;
}

/** A kexec that cannot be is the reboot in whose place it stood, with the reason. */
async function askFor(ports: Ports, { way, because, kernel }: Leaving): Promise<Left> {
  // `auto` was decided by the trigger; an older one left it to the update boot.
  const action = way === 'auto' ? 'reboot' : way;
  if (!kernel) return { action, by: await askToLeave(ports, action), because };
  let obstacle = await loadKernel(ports, kernel);
  if (obstacle === undefined) {
    try {
      return { action: 'kexec', by: await askToLeave(ports, 'kexec'), because };
    } catch (error) {
      obstacle = asUpdateError(error).message;
    }
  }
  ports.log.write('warning', `no kexec: ${obstacle}`);
  await unloadKernel(ports);
  return { action, by: await askToLeave(ports, action), because: withoutKexec(because ?? '', obstacle) };
}

/** Who led the machine out: the rung of the ladder, or somebody else who had asked before. */
async function askToLeave(ports: Ports, end: PowerAction): Promise<string> {
  try {
    return await ports.askToLeave(end);
  } catch (error) {
    const { stdout } = await ports.run('systemctl', ['is-system-running']);
    if (stdout.trim() !== 'stopping') throw error;
    return 'somebody else, before';
  }
}

/** Our own links only; false when one of them stays. */
export async function dropLinks({ fs, files, paths }: Ports): Promise<boolean> {
  try {
    for (const path of paths.triggers.flatMap((trigger) => [trigger, trigger + CLAIMED_SUFFIX])) {
      if ((await readLinkTruth(fs, path)).kind === 'ours') await files.remove(path);
    }
    return true;
  } catch {
    return false;
  }
}
