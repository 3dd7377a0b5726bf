/** Notes how healthy the machine is before the update, for the checks after it (docs/health.md). */
import { asUpdateError } from '../update/errors.js';
import { baselineText } from '../update/baseline.js';
import type { Finding } from '../update/finding.js';
import type { KnownUpdate } from '../update/store.js';
import type { HostFacts } from './host-facts.js';
import type { Online } from './online.js';

/** Durable when it returns. A machine that cannot be looked at gets no baseline, which is told. */
export async function takeBaseline(
  { files }: Pick<Online, 'files'>,
  update: KnownUpdate,
  facts: HostFacts,
): Promise<Finding[]> {
  try {
    const text = baselineText(await facts.health());
    await files.replace(update.paths.baseline, text, 0o644);
    return [];
  } catch (error) {
    // One of an earlier trigger of this update would be of another day.
    await files.remove(update.paths.baseline);
    return [
      {
        check: 'baseline',
        severity: 'warn',
        evidence: `units and network cannot be compared after the update: ${asUpdateError(error).message}`,
        remedy: 'systemctl status',
      },
    ];
  }
}
