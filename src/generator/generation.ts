/** What is to be written for the facts of this boot: a pure function, so that every case can be shown in a test. */
import type { BootFacts } from './boot-facts.js';

export interface Generation {
  /** `default.target` → system-update.target. */
  redirect: boolean;
  /** Relative to the early folder: a link target, or the text of a file. */
  entries: { path: string; link?: string; text?: string }[];
  messages: string[];
}

export const UPDATE_TARGET = '/usr/lib/systemd/system/system-update.target';

/**
 * The outermost bound of an update boot. The stall detection of the service ends a hanging update long before; this
 * is for a service that is itself stuck in the kernel. The next boot resumes.
 */
const TARGET_TIMEOUT = '24h';

const nothing: Generation = { redirect: false, entries: [], messages: [] };

export function planGeneration(facts: BootFacts): Generation {
  const link = facts.claimed ?? facts.trigger;
  if (facts.inInitrd || link === undefined) return nothing;
  if (facts.override !== undefined) {
    return {
      ...nothing,
      messages: [`the offline update waits: the kernel command line says ${facts.override}`],
    };
  }
  const messages = [`${link} leads this boot into system-update.target`];
  // Armed in a running system, which a package's daemon-reload leaves as it is but for the redirect that systemd's own
  // generator makes as well. A claimed link means that this is an update boot, where a reload has to bring forth the
  // very same again (invariant 14). And a boot that another tool's update shares is not ours to guard.
  const guarded = !facts.foreign && (facts.claimed !== undefined || !facts.running);
  return { redirect: true, entries: guarded ? guards : [], messages };
}

/** For this boot only, and only for an update of ours. */
const guards: Generation['entries'] = [
  // PID 1 would kill the package manager in mid-write for it.
  { path: 'ctrl-alt-del.target', link: '/dev/null' },
  {
    path: 'emergency.target.d/50-offline-update.conf',
    text: `# Made by offline-update-generator.
# Nobody sits at the emergency shell of an update boot: the rescue unit leaves it.
[Unit]
SourcePath=/system-update
Wants=offline-update-rescue.service
`,
  },
  {
    path: 'system-update.target.d/50-offline-update.conf',
    text: `# Made by offline-update-generator.
[Unit]
SourcePath=/system-update
JobTimeoutSec=${TARGET_TIMEOUT}
JobTimeoutAction=reboot-force
`,
  },
];
