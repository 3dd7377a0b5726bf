/**
 * Somebody must redirect the boot: our generator, or at least systemd's own. With systemd's alone the update runs, but
 * without the guards that ours adds to the update boot.
 */
import type { Check, PreflightContext } from './context.js';
import { generatorFolders, lookUp } from './unit-lookup.js';

const ours = 'offline-update-generator';
const systemds = 'systemd-system-update-generator';

export const generatorMasked: Check = {
  id: 'generator-masked',
  async run(context) {
    const [own, stock] = await Promise.all([problemOf(context, ours), problemOf(context, systemds)]);
    if (own === undefined) return [];
    return [
      {
        check: 'generator-masked',
        severity: stock === undefined ? 'warn' : 'block',
        evidence:
          stock === undefined
            ? `${own}; systemd's own leads into the update, without our guards against hanging`
            : `${own}, and ${stock}: nothing would lead into the update boot`,
        remedy:
          'apt install --reinstall offline-update, and remove the mask in /etc/systemd/system-generators',
      },
    ];
  },
};

async function problemOf({ fs, paths }: PreflightContext, name: string): Promise<string | undefined> {
  const found = await lookUp(fs, paths.root, generatorFolders, name);
  if (found.kind === 'absent') return `${name} is not installed`;
  if (found.kind === 'masked') return `${name} is masked by ${found.path}`;
  return (found.mode & 0o111) === 0 ? `${found.path} is not executable` : undefined;
}
