/** The way of a machine into its update boot and back, and how long it stood outside of any boot. */
import { monotonicSeconds, type Machine } from '../../test/laboratory/laboratory.js';
import { firstWord } from '../update-boot-spans.js';

export interface Way {
  askedSeconds: number;
  gapSeconds: number;
}

export const upLine = /Reached target multi-user\.target/;

/**
 * Says `verb` to systemctl in a machine that is up, and waits until it is up again, with nothing more to start: by
 * soft-reboots in the same container, or by full ones. Throws when it does not come back, or a boot of it, or all in one
 * container, takes longer than that.
 */
export async function goAndComeBack(machine: Machine, verb: string, timeoutSeconds: number): Promise<Way> {
  const askedSeconds = monotonicSeconds();
  if (await isBackInTheSame(machine, verb, timeoutSeconds)) {
    // as `bootUntilSettled` does, so that whatever is counted until then is counted alike
    await machine.exec('systemctl is-system-running --wait', { check: false, timeoutSeconds });
    return { askedSeconds, gapSeconds: 0 };
  }
  const ends = [monotonicSeconds()];
  const begins: number[] = [];
  const boots = await machine.bootUntilSettled({
    timeoutSeconds,
    onConsole(line) {
      if (firstWord.test(line)) begins.push(monotonicSeconds());
    },
  });
  if (boots.at(-1)?.ended !== 'up') throw new Error(`it came back with ${boots.at(-1)?.ended ?? 'nothing'}`);
  ends.push(...boots.map(({ startedSeconds, seconds }) => startedSeconds + seconds));
  const gaps = begins.map((begin, index) => begin - (ends[index] ?? NaN));
  return { askedSeconds, gapSeconds: gaps.reduce((sum, gap) => sum + gap, 0) };
}

/** False when the container ended. */
async function isBackInTheSame(machine: Machine, verb: string, timeoutSeconds: number): Promise<boolean> {
  const { container } = machine;
  let timesUp = 0;
  const back = container.waitForConsole((line) => upLine.test(line) && ++timesUp === 2);
  const timeout = setTimeout(() => {
    container.kill();
  }, timeoutSeconds * 1000);
  try {
    await machine.exec(['systemctl', '--no-block', verb], { check: false });
    const line = await back;
    if (container.killed) throw container.failure(`it was not back after ${timeoutSeconds} s`);
    return line !== undefined;
  } finally {
    clearTimeout(timeout);
  }
}
