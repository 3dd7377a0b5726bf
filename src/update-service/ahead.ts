/**
 * The update service that the trigger has started before the soft-reboot into the update boot (docs/speed.md). It practises
 * with what changes nothing, so that its code is compiled, and waits for units/begin; what it has read is thrown away.
 */
import { cgroupMembers } from '../host/cgroup-activity.js';
import { UpdateError } from '../update/errors.js';
import { removeIfThere, replaceFile } from '../update/replace-file.js';
import { verifyStage } from '../update/stage.js';
import { readTriggers } from '../update/trigger-link.js';
import { hookFiles } from './hooks.js';
import type { Ports } from './ports.js';

/** Who reboots by hand does it soon; the memory is wanted. */
const patienceMilliseconds = 600_000;
const lookAgainMilliseconds = 10_000;
/** Of a larger one most of the check is hashing, which the trigger has just done. */
const smallStageBytes = 16 * 1024 * 1024;

/**
 * Resolves with true when units/begin has claimed the update and made this process the service, with false when nobody is
 * to be expected any more. `snapshot`: the name of the one that this process was started from.
 *
 * Errors: `INTERNAL` when units/begin has made this process the service and died before it called.
 */
export async function waitAhead(ports: Ports, snapshot: string): Promise<boolean> {
  const { fs, paths, run } = ports;
  let answer: (isCalled: boolean | Promise<never>) => void = () => undefined;
  const answered = new Promise<boolean>((resolve) => (answer = resolve));
  const call = (): void => {
    answer(true);
  };
  const leave = (): void => {
    answer(false);
  };
  process.once('SIGTERM', leave);
  const patience = setTimeout(leave, patienceMilliseconds);
  const looking = setInterval(() => {
    void Promise.all([isArmed(ports), isDeserted(ports)]).then(([armed, deserted]) => {
      if (deserted) answer(Promise.reject(new UpdateError('INTERNAL', 'who claimed the update is gone')));
      else if (!armed) leave();
    });
  }, lookAgainMilliseconds);
  try {
    // The update boot meets the same, and tells it. What hangs must not hold up who stops us, and no file is waited for behind
    // it: no limit of systemd's would end that.
    const practised = practise(ports).catch(() => undefined);
    if ((await Promise.race([practised, answered])) === false) return false;
    process.once('SIGUSR2', call);
    await replaceFile(fs, paths.ahead, `${process.pid} ${snapshot}\n`);
    await run('systemd-notify', ['--ready']);
    // From now on it would be the service's, and a maintainer script's word would count.
    delete process.env['NOTIFY_SOCKET'];
    const isCalled = await answered;
    await removeIfThere(fs, paths.ahead);
    return isCalled;
  } finally {
    clearTimeout(patience);
    clearInterval(looking);
    process.off('SIGTERM', leave);
  }
}

async function isArmed({ fs, paths }: Ports): Promise<boolean> {
  const triggers = await readTriggers(fs, paths.triggers);
  return triggers.some(({ link, claimed }) => link.kind === 'ours' || claimed.kind === 'ours');
}

/** In the service's control group, and alone there. */
async function isDeserted({ fs }: Ports): Promise<boolean> {
  const groups = await fs.readFile('/proc/self/cgroup');
  if (/^0::.*\/offline-update-ahead\.service$/m.test(groups)) return false;
  const members = await cgroupMembers(process.pid);
  return members?.length === 1;
}

/** Of a small stage also the check. As there, nothing of a stage is used before it is proven. */
async function practise({ store, snapshots, fs, paths, payload, whySyncsStay }: Ports): Promise<void> {
  const update = await store.current();
  if (!update) return;
  const { policy, files } = await store.readPlan(update);
  await Promise.allSettled([
    snapshots.probe(policy.withoutSnapshots),
    whySyncsStay(),
    hookFiles(fs, paths.hooksBefore),
  ]);
  const { state } = update.journal;
  const stageBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (state.name !== 'armed' || stageBytes > smallStageBytes) return;
  const stage = { path: paths.stage };
  const proven = verifyStage(fs, stage.path, state.planHash);
  await payload.preflight(
    proven.then((plan) => plan.payload),
    stage,
  );
}
