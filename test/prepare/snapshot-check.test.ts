import t from 'tap';
import { snapshot } from '../../src/prepare/preflight/snapshot.js';
import { stagedUpdate } from '../../src/prepare/staged-update.js';
import { noSnapshots } from '../../src/snapshots/none.js';
import type { SnapshotProvider, Support } from '../../src/snapshots/snapshot-provider.js';
import type { Finding } from '../../src/update/finding.js';
import { newOnlineMachine } from '../fixtures/online-machine.js';

const mebibyte = 1024 * 1024;

/** What the check finds on a btrfs machine with a prepared update of less than a kibibyte. */
async function found(
  test: { testdir(): string },
  policy: string,
  support: Support,
  freeBytes = 1024 * mebibyte,
  recompressed?: string,
): Promise<Finding[]> {
  const machine = newOnlineMachine(test);
  const { online, facts } = machine.ports;
  machine.write('/etc/offline-update/config.toml', `snapshot = "${policy}"\n`);
  if (recompressed !== undefined) machine.payload.recompressed.set('alpha', recompressed);
  await machine.cli('prepare');
  const state = (await online.store.current())?.journal.state;
  if (state?.name !== 'prepared') throw new Error('nothing is prepared');
  facts.freeSpace = () => Promise.resolve({ bytes: freeBytes, inodes: Infinity });
  const snapshots: SnapshotProvider = {
    ...noSnapshots,
    name: 'btrfs',
    probe: () => Promise.resolve(support),
  };
  return snapshot.run({
    paths: online.paths,
    fs: online.fs,
    facts,
    policy: await machine.ports.policy(),
    payload: await machine.ports.payload(),
    snapshots,
    failedBefore: () => Promise.resolve(undefined),
    staged: await stagedUpdate(online, state.planHash),
  });
}

const usable = { usable: true, reason: 'a btrfs snapshot of / boots as subvol=@ until the update is proven' };
const unusable = { usable: false, reason: '/var is a file system or subvolume of its own' };
const told = { check: 'snapshot', severity: 'info', remedy: 'man 5 offline-update.toml' };

void t.test('a way back is told before the reboot, whether it is required or preferred', async (t) => {
  for (const policy of ['require', 'prefer']) {
    t.strictSame(await found(t, policy, usable), [{ ...told, evidence: usable.reason }]);
  }
});

void t.test('no way back: preferred it is told why, required it blocks, off nobody asks', async (t) => {
  t.strictSame(await found(t, 'prefer', unusable), [
    { ...told, evidence: `no fallback can be made: ${unusable.reason}` },
  ]);
  t.match(await found(t, 'require', unusable), [
    { severity: 'block', evidence: /"require", and there is no way back here: \/var is a file system/ },
  ]);
  t.strictSame(await found(t, 'off', unusable), []);
});

void t.test('a disk that does not hold both roots blocks', async (t) => {
  const findings = await found(t, 'prefer', usable, 256 * mebibyte);
  t.match(findings, [
    {
      check: 'snapshot',
      severity: 'block',
      evidence: '/ has 256 MiB free, old and new root side by side may need 257 MiB',
    },
    told,
  ]);
  t.strictSame((await found(t, 'prefer', usable, 257 * mebibyte)).length, 1);
});

void t.test('what is copied right away needs room as well, where our own record lies', async (t) => {
  const copy = { usable: true, reason: 'a copy', copiedBytes: () => Promise.resolve(100 * mebibyte) };
  t.match(await found(t, 'prefer', copy, 356 * mebibyte), [
    {
      severity: 'block',
      evidence:
        '/var/lib/offline-update has 356 MiB free, the copy of what the update replaces may need 357 MiB',
      remedy: /withoutSnapshots = "resume"/,
    },
    { severity: 'info', evidence: 'a copy; 100 MiB are copied' },
  ]);
  t.strictSame((await found(t, 'require', copy, 357 * mebibyte)).length, 1, 'a copy is a way back');
});

void t.test('packages that were recompressed unpack to no more than they did before', async (t) => {
  const large = 'x'.repeat(2 * mebibyte);
  t.strictSame(await found(t, 'prefer', usable, 257 * mebibyte, large), [
    { ...told, evidence: usable.reason },
  ]);
});
