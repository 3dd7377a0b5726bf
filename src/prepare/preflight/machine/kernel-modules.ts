/** The modules of the running kernel are gone: what still has to be loaded before the reboot (a disk, a file system) fails. */
import { join } from 'node:path';
import { exists } from '../../../host/exists.js';
import type { Check } from '../context.js';
import { systemFolder } from './system-file.js';

export const kernelModules: Check = {
  id: 'kernel-modules',
  async run(context) {
    const release = await context.facts.kernelRelease();
    // A container has none, and needs none.
    if ((await systemFolder(context, '/lib/modules')).length === 0) return [];
    if (await exists(context.fs, join(context.paths.root, 'lib/modules', release))) return [];
    return [
      {
        check: 'kernel-modules',
        severity: 'warn',
        evidence: `the running kernel ${release} has no modules in /lib/modules any more`,
        remedy: 'reboot once before the update',
      },
    ];
  },
};
