/** What dpkg says that packages own, and which provider a machine has. */
import { mkdirSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { fileSystem } from '../../src/host/file-system.js';
import { ownedPaths, parseDiversions, parseList } from '../../src/snapshots/copy/package-files.js';
import { noSnapshots } from '../../src/snapshots/none.js';
import type { SnapshotProvider } from '../../src/snapshots/snapshot-provider.js';
import { withCopy } from '../../src/snapshots/with-copy.js';
import type { PackageChange } from '../../src/update/plan.js';

const change = (name: string, from: string | null): PackageChange => ({
  name,
  architecture: 'amd64',
  action: 'upgrade',
  from,
  to: null,
  automatic: false,
  file: null,
  sizeBytes: 0,
  sha256: null,
});

void t.test(
  'the lists of replaced and removed packages, of one architecture or several, with diversions',
  async (t) => {
    const root = t.testdir({});
    const info = `${root}/var/lib/dpkg/info`;
    mkdirSync(info, { recursive: true });
    writeFileSync(`${info}/tool.list`, '/.\n/usr\n/usr/bin/tool\n');
    writeFileSync(`${info}/library:amd64.list`, '/.\n/usr/lib/library.so\n');
    writeFileSync(`${info}/library:i386.list`, '/.\n/usr/lib32/library.so\n');
    writeFileSync(`${info}/fresh.list`, '/.\n/usr/bin/fresh\n');
    writeFileSync(`${root}/var/lib/dpkg/diversions`, '/usr/bin/tool\n/usr/bin/tool.distrib\n:\n');
    const changes = [
      change('tool', '1'),
      change('library', '1'),
      change('fresh', null),
      change('unknown', '1'),
    ];
    t.strictSame(await ownedPaths(fileSystem, root, changes), [
      '/usr',
      '/usr/bin/tool',
      '/usr/bin/tool.distrib',
      '/usr/lib/library.so',
    ]);
  },
);

void t.test('a name that is not UTF-8 is told, not left out', (t) => {
  t.throws(() => parseList(Buffer.from('/usr/\xff\n', 'latin1').toString('utf8'), 'tool.list'), {
    code: 'SNAPSHOT_FAILED',
    message: 'tool.list of dpkg holds a file name that is not UTF-8',
  });
  t.strictSame(parseDiversions(''), new Map());
  t.end();
});

const provider = (name: string, usable: boolean, armed: string[]): SnapshotProvider => ({
  ...noSnapshots,
  name,
  probe: () => Promise.resolve({ usable, reason: `${name} says ${usable ? 'yes' : 'no'}` }),
  armFallback: () => {
    armed.push(name);
    return Promise.resolve({ provider: name, reference: '' });
  },
});

void t.test('a copy is made where there are no snapshots, unless the policy says resume', async (t) => {
  const armed: string[] = [];
  const btrfs = withCopy(provider('btrfs', true, armed), provider('copy', true, armed));
  const ext4 = withCopy(provider('none', false, armed), provider('copy', true, armed));
  await btrfs.armFallback('id', { otherwise: 'copy' });
  await ext4.armFallback('id', { otherwise: 'copy' });
  t.strictSame(armed, ['btrfs', 'copy']);
  t.strictSame(await btrfs.probe('copy'), { usable: true, reason: 'btrfs says yes' });
  t.strictSame(await ext4.probe('copy'), {
    usable: true,
    reason: 'copy says yes (no snapshots: none says no)',
  });
  t.strictSame(await ext4.probe('resume'), { usable: false, reason: 'none says no' });
});
