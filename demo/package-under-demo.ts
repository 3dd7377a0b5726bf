/** Builds the bundles and the .deb, and tells where it is; a package named by the environment is taken as it is. */
import { spawnSync } from 'node:child_process';

export function packageUnderDemo(): string {
  const named = process.env.OFFLINE_UPDATE_DEB;
  if (named !== undefined) return named;
  const { status, stdout } = spawnSync(process.execPath, ['scripts/package.mjs'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const path = stdout.trim().split('\n').at(-1);
  if (status !== 0 || path === undefined) throw new Error('the package could not be built, see above');
  return path;
}
