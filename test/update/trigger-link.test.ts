import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { fileSystem } from '../../src/host/file-system.js';
import { guessOwner, isOurTarget, readLinkTruth, readTriggers } from '../../src/update/trigger-link.js';

void t.test('whose link it is, told without following it', async (t) => {
  const at = (name: string) => join(dir, name);
  const dir = t.testdir({});
  symlinkSync('/var/lib/system-update', at('ours'));
  symlinkSync('var/lib/system-update', at('relative'));
  symlinkSync('/var/lib/PackageKit/prepared-update', at('packagekit'));
  symlinkSync('/nowhere', at('dangling'));
  writeFileSync(at('file'), '');
  mkdirSync(at('folder'));
  const truth = (name: string) => readLinkTruth(fileSystem, at(name));
  t.strictSame(await truth('ours'), { kind: 'ours', target: '/var/lib/system-update' });
  t.strictSame(await truth('relative'), { kind: 'ours', target: 'var/lib/system-update' });
  t.strictSame(await truth('packagekit'), {
    kind: 'foreign',
    target: '/var/lib/PackageKit/prepared-update',
    owner: 'PackageKit',
  });
  t.strictSame(await truth('dangling'), { kind: 'foreign', target: '/nowhere', owner: undefined });
  t.strictSame(await truth('file'), { kind: 'not-a-link', entry: 'file' });
  t.strictSame(await truth('folder'), { kind: 'not-a-link', entry: 'folder' });
  t.strictSame(await truth('nothing'), { kind: 'absent' });
  t.strictSame(await truth('nothing/below'), { kind: 'absent' });

  symlinkSync('/var/lib/system-update', at('ours.claimed'));
  t.strictSame(await readTriggers(fileSystem, [at('dangling'), at('ours')]), [
    { path: at('dangling'), link: await truth('dangling'), claimed: { kind: 'absent' } },
    { path: at('ours'), link: await truth('ours'), claimed: await truth('ours') },
  ]);
});

void t.test('a target that only looks like ours is foreign', (t) => {
  for (const target of [
    '/var/lib/system-update/plan.json',
    '/var/lib/system-update.next',
    './var/lib/system-update',
    '/var/lib/system-update/',
    '',
  ]) {
    t.notOk(isOurTarget(target), target);
  }
  t.end();
});

void t.test('the owner of a foreign link is guessed from where it leads', (t) => {
  t.strictSame(
    [
      '/usr/lib/sysimage/libdnf5/offline',
      '/var/lib/dnf/system-upgrade',
      '/var/cache/pacman/pkg',
      '/var/cache/apt/archives',
      '/var/lib/fwupd',
      '/srv/unknown',
    ].map(guessOwner),
    ['dnf5 offline', 'dnf system-upgrade', 'pacman-offline', 'pop-upgrade', 'fwupd', undefined],
  );
  t.end();
});
