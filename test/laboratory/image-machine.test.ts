import { join } from 'node:path';
import t from 'tap';
import { holdMounts } from './held-mounts.js';
import { command, ImageMachine, rootImage } from './laboratory.js';

if (process.getuid?.() !== 0) t.bailout('the boot laboratory needs root');

void t.test('a machine that is restored is not written to by one who kept its mount', async (t) => {
  const machine = await ImageMachine.make(await rootImage(), { type: 'ext4' });
  t.teardown(() => machine.dispose());
  await machine.remember();
  const late = `for n in $(seq 200); do echo $n > '${machine.root}'/srv/late$n; done; sync`;
  const other = await holdMounts([`cd '${machine.root}'`]);
  await machine.restore();
  await machine.write('/srv/own', 'mine\n');
  await other.release([late.replaceAll(`'${machine.root}'`, '.')]);
  t.notOk(machine.exists('/srv/late1'));
  await machine.remember();
  const image = join(machine.root, '../disk/image');
  const { exitCode, stdout } = await command(['e2fsck', '-fn', `${image}.remembered`], { check: false });
  t.equal(exitCode, 0, stdout);
  t.equal(await machine.read('/srv/own'), 'mine\n');
});
