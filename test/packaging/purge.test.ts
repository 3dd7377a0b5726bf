/** A purge takes away all but the old roots that were kept, and names those. */
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';

const script = join(import.meta.dirname, '../../packaging/deb/postrm');

/** As btrfs-progs 6 prints it. */
const subvolumes = `ID 256 gen 8 top level 5 path @.offline-update-20261119T154935-3f29
ID 257 gen 8 top level 5 path @
ID 258 gen 8 top level 5 path @.offline-update-20261120T154935-3f2a
ID 259 gen 8 top level 258 path @.offline-update-20261120T154935-3f2a/srv/nested
ID 260 gen 8 top level 5 path roots/@.offline-update-20261121T154935-3f2b
ID 261 gen 8 top level 5 path @.offline-update-mine
ID 262 gen 8 top level 5 path @.offline-update-20261118T154935-3f28
`;

function purged(test: Test, fileSystem: string, btrfs: string): string {
  const root = test.testdir({
    bin: {},
    etc: { 'offline-update': { 'config.toml': '' } },
    run: { systemd: { system: {} } },
    var: { lib: { 'offline-update': { updates: {} } } },
  });
  const program = (name: string, body: string): void => {
    writeFileSync(join(root, 'bin', name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  };
  program('stat', `echo ${fileSystem}`);
  program('btrfs', btrfs);
  const env = { DPKG_ROOT: root, PATH: `${join(root, 'bin')}:/usr/bin:/bin` };
  const told = execFileSync('sh', [script, 'purge'], { env, encoding: 'utf8' });
  test.notOk(existsSync(join(root, 'var/lib/offline-update')));
  test.notOk(existsSync(join(root, 'etc/offline-update')));
  return told;
}

const answers = `case $1-$2 in
  inspect-internal-rootid) echo 256 ;;
  subvolume-get-default) echo 'ID 262 gen 8 top level 5 path @.offline-update-20261118T154935-3f28' ;;
  subvolume-list) printf %s '${subvolumes}' ;;
esac`;

void t.test('each kept root is told with what deletes it; what runs or boots next is none', (t) => {
  t.equal(
    purged(t, 'btrfs', answers),
    `offline-update: the old root @.offline-update-20261120T154935-3f2a was kept and is still there; to delete it:
  btrfs subvolume delete --subvolid 258 /
offline-update: the old root roots/@.offline-update-20261121T154935-3f2b was kept and is still there; to delete it:
  btrfs subvolume delete --subvolid 260 /
`,
  );
  t.end();
});

void t.test('nothing is told where there is none, or nobody can say, and the purge succeeds', (t) => {
  t.equal(purged(t, 'ext2/ext3', answers), '');
  t.equal(purged(t, 'btrfs', 'echo broken >&2; exit 1'), '');
  t.equal(purged(t, 'btrfs', `[ $1 != inspect-internal ] || exit 1\n${answers}`), '');
  t.end();
});
