/**
 * Configuration files that the administrator changed and a planned package owns. dpkg would ask about those whose new
 * version differs as well; in the update boot nobody can answer, so the policy does.
 */
import { aptEnvironment } from '../apt-environment.js';
import { someOf } from '../../../../update/some-of.js';
import { packageKey } from '../dpkg-database.js';
import type { Advice, AdvicePorts } from './apt-advice.js';

export const changedConffiles: Advice = async (ports, plan, policy) => {
  const keys = plan.changes
    .filter(({ from, to }) => from !== null && to !== null)
    .map(({ name, architecture }) => packageKey(name, architecture));
  if (keys.length === 0) return [];
  const rooted = ports.root === '/' ? [] : [`--root=${ports.root}`];
  const { stdout } = await ports.runCommand(
    'dpkg-query',
    [...rooted, '-W', '-f', '${Conffiles}\n', ...keys],
    {
      env: aptEnvironment(),
      extendEnv: false,
    },
  );
  const conffiles = [...stdout.matchAll(/^ (\/.+) ([0-9a-f]{32})$/gm)];
  const found = await md5Of(
    ports,
    conffiles.map(([, path = '']) => path),
  );
  const changed = conffiles
    .filter(([, path = '', md5]) => found.has(path) && found.get(path) !== md5)
    .map(([, path = '']) => path);
  if (changed.length === 0) return [];
  const isKept = policy.conffiles === 'keep';
  return [
    {
      check: 'changed-conffiles',
      severity: 'info',
      evidence: `you changed ${someOf(changed.sort())}: ${isKept ? 'your versions stay, new ones come beside them as .dpkg-dist' : 'new versions replace yours, which stay beside them as .dpkg-old'}`,
      remedy: `offline-update report, after the update, lists what to look at; policy: conffiles = "${policy.conffiles}"`,
    },
  ];
};

/** By path, of those that are there: one that was removed on purpose is not brought back, and nobody is asked. */
async function md5Of(
  { runCommand, root }: AdvicePorts,
  paths: readonly string[],
): Promise<Map<string, string>> {
  if (paths.length === 0) return new Map();
  const prefix = root === '/' ? '' : root;
  const { stdout } = await runCommand('md5sum', ['--', ...paths.map((path) => `${prefix}${path}`)], {
    env: aptEnvironment(),
    extendEnv: false,
  });
  const rows = [...stdout.matchAll(/^([0-9a-f]{32}) {2}(.+)$/gm)];
  return new Map(rows.map(([, md5 = '', path = '']) => [path.slice(prefix.length), md5]));
}
