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
    const support = await snapshots.probe(withoutSnapshots);
    const { usable, reason } = support;
    if (usable) {
      const copiedBytes = await support.copiedBytes?.();
      const copied = copiedBytes === undefined ? '' : `; ${needed(copiedBytes)} are copied`;
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

const MEBIBYTE = 1024 * 1024;

function needed(bytes: number): string {
  return `${Math.ceil(bytes / MEBIBYTE)} MiB`;
}

function free(bytes: number): string {
  return `${Math.floor(bytes / MEBIBYTE)} MiB free`;
}

function tell(evidence: string): Finding {
  return { check: 'snapshot', severity: 'info', evidence, remedy: 'man 5 offline-update.toml' };
}

async function room(
  { paths, facts, staged }: PreflightContext,
  copiedBytes: number | undefined,
): Promise<Finding[]> {
  const wanted = wayBackBytes(staged?.plan.payload.changes ?? []) + (copiedBytes ?? 0);
  // A copy lies with our own record, a snapshot where the root lies.
  const { bytes } = await facts.freeSpace(copiedBytes === undefined ? paths.root : paths.state);
  if (bytes >= wanted) return [];
  if (copiedBytes !== undefined) {
    return [
      {
        check: 'snapshot',
        severity: 'block',
        evidence: `/var/lib/offline-update has ${free(bytes)}, the copy of what the update replaces may need ${needed(wanted)}`,
        remedy:
          'make room, or go without a way back: withoutSnapshots = "resume" in /etc/offline-update/config.toml',
      },
    ];
  }
  return [
    {
      check: 'snapshot',
      severity: 'block',
      evidence: `/ has ${free(bytes)}, old and new root side by side may need ${needed(wanted)}`,
      remedy: 'make room, or go without a way back: snapshot = "off" in /etc/offline-update/config.toml',
    },
  ];
}
