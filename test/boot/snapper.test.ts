/** snapper, where it looks after the root: it shows each update, and its snapshots follow the root that boots. */
import t, { type Test } from 'tap';
import type { BtrfsMachine } from '../laboratory/laboratory.js';
import { armedBtrfsMachine } from './btrfs-machines.js';
import { isBackToNormal, reportOf, statusOf, versionsOf } from './installed.js';

/** snapper's own default: `.snapshots` is a subvolume inside the root. */
async function withSnapper(t: Test, name: string): Promise<BtrfsMachine> {
  const machine = await armedBtrfsMachine(t, { packages: [name] }, { install: ['snapper'] });
  await machine.run('snapper --no-dbus create-config /');
  await machine.run('snapper --no-dbus create --description before-everything');
  return machine;
}

interface Shown {
  number: number;
  type: string;
  'pre-number': number | null;
  cleanup: string;
  description: string;
  userdata: Record<string, string> | null;
}

async function shown(machine: BtrfsMachine): Promise<Shown[]> {
  const { stdout } = await machine.exec('snapper --no-dbus --jsonout list --disable-used-space');
  return (JSON.parse(stdout) as { root: Shown[] }).root.filter(({ number }) => number > 0);
}

async function findingsOf(machine: BtrfsMachine, id: string | null): Promise<string[]> {
  const { findings } = await reportOf(machine, id ?? '');
  return (findings as { check: string; message: string }[])
    .filter(({ check }) => check === 'snapper')
    .map(({ message }) => message);
}

void t.test('a good update is a pre and a post snapshot; a rollback takes all snapshots along', async (t) => {
  const machine = await withSnapper(t, 'lab-good');
  await isBackToNormal(t, machine, await machine.bootUntilSettled());
  const { id, state } = await statusOf(machine);
  t.equal(state, 'confirmed');
  const userdata = { 'offline-update': id ?? '' };
  const pair = { cleanup: 'number', description: `offline-update ${id ?? ''}`, userdata };
  const all = await shown(machine);
  const [pre, post] = all.filter((each) => each.description === pair.description);
  t.match(
    [pre, post],
    [
      { type: 'pre', ...pair },
      { type: 'post', 'pre-number': pre?.number, ...pair },
    ],
  );
  t.equal(all.length, 5, 'around the pair that snapper makes of each run of dpkg');
  const numbers = [String(pre?.number), String(post?.number)] as const;
  t.strictSame(await findingsOf(machine, id), [
    `root: pre-snapshot ${numbers[0]}`,
    `root: post-snapshot ${numbers[1]} to ${numbers[0]}`,
  ]);
  const { stdout } = await machine.exec(`snapper --no-dbus status ${numbers.join('..')}`);
  t.match(
    stdout,
    /\/var\/lib\/offline-update\/updates\/.*\/term\.log/,
    'it tells what was changed between the two',
  );

  await machine.exec('offline-update rollback --yes');
  await machine.stop();
  await isBackToNormal(t, machine, [await machine.start()]);
  t.strictSame(await versionsOf(machine, ['lab-good']), { 'lab-good': '1.0' });
  t.strictSame(await shown(machine), all);
});

void t.test('a reverted update: its pre snapshot stays, and none is lost with the failed root', async (t) => {
  const machine = await withSnapper(t, 'lab-postinst-fails');
  await isBackToNormal(t, machine, await machine.bootUntilSettled());
  t.equal((await statusOf(machine)).state, 'reverted');
  await machine.exec('offline-update clean');
  t.strictSame(await machine.subvolumes(), ['@']);
  t.match(await shown(machine), [{ number: 1 }, { number: 2, type: 'pre' }]);
});

void t.test('a snapper that fails is told, and the update goes on', async (t) => {
  const machine = await withSnapper(t, 'lab-good');
  await machine.run('mv /.snapshots /.elsewhere');
  await isBackToNormal(t, machine, await machine.bootUntilSettled());
  const { id, state } = await statusOf(machine);
  t.equal(state, 'confirmed');
  t.match(await findingsOf(machine, id), [/^snapper: /]);
});
