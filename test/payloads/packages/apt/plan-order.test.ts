/** How many runs of apt a plan takes at a time: what one of them builds the next one reads. */
import t from 'tap';
import { planRequest } from '../../../../src/payloads/packages/apt/apt-plan.js';
import type { PlanningPorts } from '../../../../src/payloads/packages/apt/planning.js';
import { defaultPolicy } from '../../../../src/update/policy.js';
import { memoryFileSystem } from '../../../fixtures/memory-file-system.js';

const uris = `0 upgraded, 1 newly installed, 0 to remove and 0 not upgraded.
'copy:/srv/./aa_1_all.deb' aa_1_all.deb 4 SHA256:${'a'.repeat(64)}
`;
const targets = 'copy:/srv/\tstable\tdists/stable\t/lists/_srv_dists_stable_main_Packages\tyes\n';

/** Ports of a machine whose apt is a log. */
async function ports(runs: string[], files: readonly string[]): Promise<PlanningPorts> {
  const fs = memoryFileSystem();
  for (const path of files) {
    await fs.makeFolder(path.replace(/\/[^/]*$/, ''), 0o755);
    await fs.createFile(path, '', 0o644);
  }
  return {
    async runCommand(_, [word = '']) {
      runs.push(`${word} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      runs.push(`${word} ends`);
      return { exitCode: 0, signal: undefined, stdout: word === '--print-uris' ? uris : targets, stderr: '' };
    },
    startJob: () => {
      throw new Error('nothing is downloaded');
    },
    files: fs,
    root: '/',
    database: {
      states: () => Promise.resolve(new Map()),
      fingerprint: () => Promise.resolve('f'.repeat(64)),
      audit: () => Promise.resolve(''),
      pendingJournal: () => Promise.resolve([]),
    },
  };
}

const request = {
  mode: 'packages',
  packages: ['aa'],
  refresh: false,
  policy: { ...defaultPolicy, unsignedSources: 'allow' },
} as const;

void t.test('with apt’s cache both questions are asked at once', async (t) => {
  const runs: string[] = [];
  await planRequest(await ports(runs, ['/var/cache/apt/pkgcache.bin']), request);
  t.strictSame(runs.slice(0, 2), ['--print-uris begins', 'indextargets begins']);
});

void t.test('without it the first run of apt builds it, and the second one reads it', async (t) => {
  const runs: string[] = [];
  const { plan } = await planRequest(await ports(runs, []), request);
  t.strictSame(runs, [
    '--print-uris begins',
    '--print-uris ends',
    'indextargets begins',
    'indextargets ends',
  ]);
  t.match(plan.changes, [{ name: 'aa', to: '1', sha256: 'a'.repeat(64) }]);
});
