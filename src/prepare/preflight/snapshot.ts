/**
 * The way back: told before the reboot whether there will be one, how it would boot, or why there is none. A fallback
 * keeps all that the update replaces, so the disk has to hold both.
 */
import type { Finding } from '../../update/finding.js';
import { wayBackBytes } from '../../update/unpacked-bytes.js';
import type { Check, PreflightContext } from './context.js';

export const snapshot: Check = {
  id: 'snapshot',
  async run(context) {
    const { staged, snapshots } = context;
    const { snapshot: wish, withoutSnapshots } = staged?.plan.policy ?? context.policy;
    if (wish === 'off') return [];
    const { usable, reason, ...support } = await snapshots.probe(withoutSnapshots);
    if (usable) {
      const copiedBytes = await support.copiedBytes?.();
      const copied = copiedBytes === undefined ? '' : `; ${mebibytes(Math.ceil, copiedBytes)} are copied`;
      return [...(await room(context, copiedBytes)), tell(reason + copied)];
    }
    if (wish === 'require') {
      return [
        {
          check: 'snapshot',
          severity: 'block',
          evidence: `the policy says snapshot = "require", and there is no way back here: ${reason}`,
          remedy: 'set snapshot = "prefer" in /etc/offline-update/config.toml and prepare again',
        },
      ];
    }
    // Where the file system has no snapshots at all, there is nothing that a person could put right.
    return snapshots.name === 'none' ? [] : [tell(`no fallback can be made: ${reason}`)];
  },
};

function mebibytes(round: (count: number) => number, bytes: number): string {
  return `${round(bytes / 1024 / 1024)} MiB`;
}

function tell(evidence: string): Finding {
  return { check: 'snapshot', severity: 'info', evidence, remedy: 'man 5 offline-update.toml' };
}

async function room(
  { paths, facts, staged }: PreflightContext,
  copiedBytes: number | undefined,
): Promise<Finding[]> {
  const needed = wayBackBytes(staged?.plan.payload.changes ?? []) + (copiedBytes ?? 0);
  // A copy lies with our own record, a snapshot where the root lies.
  const { bytes } = await facts.freeSpace(copiedBytes === undefined ? paths.root : paths.state);
  if (bytes >= needed) return [];
  if (copiedBytes !== undefined) {
    return [
      {
        check: 'snapshot',
        severity: 'block',
        evidence: `/var/lib/offline-update has ${mebibytes(Math.floor, bytes)} free, the copy of what the update replaces may need ${mebibytes(Math.ceil, needed)}`,
        remedy:
          'make room, or go without a way back: withoutSnapshots = "resume" in /etc/offline-update/config.toml',
      },
    ];
  }
  return [
    {
      check: 'snapshot',
      severity: 'block',
      evidence: `/ has ${mebibytes(Math.floor, bytes)} free, old and new root side by side may need ${mebibytes(Math.ceil, needed)}`,
      remedy: 'make room, or go without a way back: snapshot = "off" in /etc/offline-update/config.toml',
    },
  ];
}
