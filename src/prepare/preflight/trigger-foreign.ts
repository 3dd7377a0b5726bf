/** Another tool's update is armed, or something lies in the place of the link: one update a boot (offline-updates(7)). */
import { readTriggers, type LinkTruth, type TriggerTruth } from '../../update/trigger-link.js';
import type { Finding } from '../../update/finding.js';
import type { Check } from './context.js';

export const TRIGGER_FOREIGN = 'trigger-foreign';

export const triggerForeign: Check = {
  id: TRIGGER_FOREIGN,
  async run({ fs, paths }) {
    return foreignFindings(await readTriggers(fs, paths.triggers));
  },
};

export function foreignFindings(triggers: readonly TriggerTruth[]): Finding[] {
  return triggers.flatMap(({ path, link, claimed }) => [
    ...finding(path, link),
    // The shell scripts would rename our link over it.
    ...finding(`${path}.claimed`, claimed),
  ]);
}

function finding(path: string, link: LinkTruth): Finding[] {
  const evidence = describeForeign(path, link);
  if (evidence === undefined) return [];
  return [{ check: TRIGGER_FOREIGN, severity: 'block', evidence, remedy: remedyFor(path, link) }];
}

/** One sentence on what is not ours; undefined for what is ours or not there. */
export function describeForeign(path: string, link: LinkTruth): string | undefined {
  switch (link.kind) {
    case 'absent':
    case 'ours':
      return undefined;
    case 'foreign':
      return `${path} points to ${link.target}: an update of ${link.owner ?? 'another tool'} is armed`;
    case 'not-a-link':
      return `${path} is a ${link.entry === 'other' ? 'special file' : link.entry}, not a link: systemd takes it for an armed update`;
  }
}

function remedyFor(path: string, link: LinkTruth): string {
  return link.kind === 'not-a-link' && link.entry === 'folder'
    ? `look into it, then: rmdir ${path}`
    : `reboot to let that update run, or drop it: rm ${path}`;
}
