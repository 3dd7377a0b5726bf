/** What the benchmarks make of a machine that has our package, to compare us with the others on it. */
import { readlink, symlink } from 'node:fs/promises';
import t from 'tap';
import { takeOursAway } from '../../bench/take-ours-away.js';
import { RootFiles } from '../laboratory/laboratory.js';
import { installedMachine } from './installed.js';

void t.test('on a machine of the others nothing of ours can be started, and apt works', async (t) => {
  const machine = await installedMachine(t, ['lab-good']);
  // systemd's own manual has the name, too
  const find =
    "find /etc /usr ! -type d \\( -path '*offline*update*' -o -lname '*offline-update*' \\) ! -path '*/man7/*'";
  const before = (await machine.run(find)).stdout;
  t.match(before, /system-update\.target\.wants\/offline-update-guard\.service/, 'it was there');
  // as the root of a machine on btrfs is
  const link = `${machine.root}.link`;
  await symlink(machine.root, link);
  await takeOursAway(new RootFiles(link));
  t.equal(await readlink(link), machine.root, 'the root itself stays');
  t.equal((await machine.run(find)).stdout, '');
  // What our package waits for: another Node.js.
  await machine.run(
    'dpkg-trigger --by-package=apt --no-await /usr/bin/node && dpkg --triggers-only --pending',
  );
  await machine.run('apt-get --quiet=2 --yes upgrade');
  t.equal((await machine.run("dpkg-query --show --showformat='${Version}' lab-good")).stdout, '2.0');
  t.equal((await machine.run('dpkg --audit')).stdout, '');
  t.ok(machine.exists('/usr/lib/systemd/system/dbus.service'), 'nothing else is taken away');
});
