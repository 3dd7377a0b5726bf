/**
 * Where the trigger goes: `/system-update`, and `/etc/system-update` only where `/` cannot be written and systemd is
 * new enough to look there (254, offline-updates(7)). Undefined when there is no place for it.
 */
import { join } from 'node:path';
import type { Paths } from '../update/paths.js';
import type { HostFacts } from './host-facts.js';

const SYSTEMD_WITH_ETC_TRIGGER = 254;

export async function chooseTriggerPath(paths: Paths, facts: HostFacts): Promise<string | undefined> {
  const [inRoot, inEtc] = paths.triggers;
  if (await facts.isWritableFolder(paths.root)) return inRoot;
  const isNewEnough = (await facts.systemdVersion()) >= SYSTEMD_WITH_ETC_TRIGGER;
  return isNewEnough && (await facts.isWritableFolder(join(paths.root, 'etc'))) ? inEtc : undefined;
}
