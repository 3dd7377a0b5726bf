/** Writes what was planned into the early folder. */
import { mkdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { UPDATE_TARGET, type Generation } from './generation.js';

/** True when the redirect, if wanted, stands. */
export function writeGeneration(
  early: string,
  generation: Generation,
  log: (message: string) => void,
): boolean {
  if (!generation.redirect) return true;
  const target = redirect(join(early, 'default.target'));
  if (target instanceof Error) {
    log(`cannot redirect the boot: ${target.message}`);
    return false;
  }
  // Another generator (SELinux relabelling) goes ahead of us, reboots, and we are next: that boot is not to be guarded.
  if (basename(target) !== basename(UPDATE_TARGET)) {
    log(`default.target leads to ${target} already, left alone`);
    return true;
  }
  for (const entry of generation.entries) {
    // The update needs none of these: one that cannot be written must not cost the redirect.
    try {
      const path = join(early, entry.path);
      mkdirSync(dirname(path), { recursive: true });
      if (entry.link !== undefined) symlinkSync(entry.link, path);
      else writeFileSync(path, entry.text ?? '', { mode: 0o644 });
    } catch (error) {
      log(`cannot write ${entry.path}: ${String(error)}`);
    }
  }
  return true;
}

/** Where default.target leads now; systemd's own generator runs at the same time and may have been first. */
function redirect(path: string): string | Error {
  try {
    symlinkSync(UPDATE_TARGET, path);
    return UPDATE_TARGET;
  } catch (error) {
    return linkTarget(path) ?? (error instanceof Error ? error : new Error(String(error)));
  }
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
