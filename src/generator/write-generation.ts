/** Writes what was planned into the early folder; true when the redirect, if wanted, stands. */
import { mkdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { UPDATE_TARGET, type Generation } from './generation.js';

export function writeGeneration(
  early: string,
  generation: Generation,
  log: (message: string) => void,
): boolean {
  if (generation.redirect && !redirect(join(early, 'default.target'), log)) return false;
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

function redirect(path: string, log: (message: string) => void): boolean {
  try {
    symlinkSync(UPDATE_TARGET, path);
    return true;
  } catch (error) {
    const there = linkTarget(path);
    if (there === undefined) {
      log(`cannot redirect the boot: ${String(error)}`);
      return false;
    }
    // systemd's own generator runs at the same time and was first; or another one (SELinux relabelling) goes ahead of
    // us, reboots, and we are next.
    if (basename(there) !== basename(UPDATE_TARGET))
      log(`default.target leads to ${there} already, left alone`);
    return true;
  }
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
