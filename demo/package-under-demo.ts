/** Builds the bundles and the .deb, and tells where it is. */
import { execFileSync } from 'node:child_process';

export function packageUnderDemo(): string {
  const output = execFileSync(process.execPath, ['scripts/package.mjs'], { encoding: 'utf8' });
  const path = output.trim().split('\n').at(-1);
  if (path === undefined) throw new Error('scripts/package.mjs told no path');
  return path;
}
