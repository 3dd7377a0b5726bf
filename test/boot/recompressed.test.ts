/** Packages that were recompressed at prepare, through whole cycles; the laboratory's machines have no zstd. */
import t from 'tap';
import { debOf, putRepository, type Machine } from '../laboratory/laboratory.js';
import { armedMachine, isBackToNormal, reportOf, statusOf, versionsOf } from './installed.js';

const packed = debOf({
  name: 'lab-packed',
  version: '2.0',
  compression: 'gzip',
  files: { '/usr/share/lab-packed/words': 'the same words again and again\n'.repeat(10_000) },
  sizeBytes: 200_000,
});
const scenario = {
  packages: ['lab-slow'],
  config: 'packageCompression = "fast"\n',
  prepare: ['lab-packed', 'lab-slow'],
  before: async (machine: Machine): Promise<void> => {
    await putRepository(machine, [packed], { suite: 'packed', folder: '/srv/packed' });
    await machine.run('apt-get update');
  },
};
const installed = { 'lab-packed': '2.0', 'lab-slow': '2.0' };
const wordsOf = 'sha256sum </usr/share/lab-packed/words; dpkg --verify lab-packed';

void t.test('the seal holds them, and the update boot installs them', async (t) => {
  const machine = await armedMachine(t, scenario);
  const plan = JSON.parse(await machine.read('/var/lib/system-update/plan.json')) as {
    payload: { changes: { name: string; recompressed?: { compression: string } }[] };
  };
  t.strictSame(
    plan.payload.changes.map(({ name, recompressed }) => [name, recompressed?.compression]),
    [
      ['lab-packed', 'none'],
      ['lab-slow', undefined],
    ],
  );
  const boots = await machine.bootUntilSettled();
  await isBackToNormal(t, machine, boots);
  const { state, id } = await statusOf(machine);
  t.equal(state, 'confirmed');
  t.strictSame(await versionsOf(machine, Object.keys(installed)), installed);
  t.match(await reportOf(machine, id ?? ''), { findings: [], attempts: 1 });
  t.match(
    (await machine.exec('offline-update report')).stdout,
    '1 package recompressed to be unpacked sooner',
  );
  await machine.exec('dpkg-deb -x /srv/packed/pool/*.deb /tmp/signed');
  const signed = await machine.exec('sha256sum </tmp/signed/usr/share/lab-packed/words');
  t.equal((await machine.exec(wordsOf)).stdout, signed.stdout);
});

void t.test('invariant 6: the shell finishes with them when the service died', async (t) => {
  const machine = await armedMachine(t, scenario);
  const boots = await machine.bootUntilSettled({
    timeoutSeconds: 90,
    during: async (container) => {
      const terminal = '/var/lib/offline-update/updates/*/term.log';
      await container.waitForLine(terminal, (line) => /Setting up lab-slow/.test(line));
      await container.exec('systemctl kill --kill-whom=main --signal=SIGKILL offline-update.service', {
        check: false,
      });
    },
  });
  await isBackToNormal(t, machine, boots);
  t.strictSame(await versionsOf(machine, Object.keys(installed)), installed);
  t.equal((await statusOf(machine)).state, 'confirmed');
});

void t.test(
  'invariant 7: one that was changed after the seal is refused, and nothing is installed',
  async (t) => {
    const machine = await armedMachine(t, scenario);
    const file = '/var/lib/system-update/packages/lab-packed_2.0_all.deb';
    await machine.run(`printf x | dd of=${file} bs=1 seek=100000 conv=notrunc status=none`);
    const boots = await machine.bootUntilSettled();
    await isBackToNormal(t, machine, boots);
    t.match(await statusOf(machine), { state: 'refused', reason: { code: 'STAGE_TAMPERED' } });
    t.strictSame(await versionsOf(machine, Object.keys(installed)), { 'lab-slow': '1.0' });
  },
);
