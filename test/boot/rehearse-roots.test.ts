/**
 * Rehearsals on roots as machines have them: a file system of their own on ext4, xfs and btrfs, in memory and, where that
 * is scarce, on the very disk that is the root; and what is said where there can be none.
 */
import t, { type Test } from 'tap';
import { packageUnderTest } from '../fixtures/package-under-test.js';
import type { Rehearsal } from '../../src/update/rehearsal.js';
import {
  BtrfsMachine,
  ImageMachine,
  Machine,
  machineWithVersion1,
  rootImage,
  treeDifference,
  type BootOptions,
  type CommandOutput,
} from '../laboratory/laboratory.js';

if (process.getuid?.() !== 0) t.bailout('the boot tests need root');

const base = await rootImage({ packages: ['btrfs-progs'] });
const layer = await machineWithVersion1(['lab-good', 'lab-postinst-fails'], {
  base,
  install: [packageUnderTest()],
});

/** Everything but the record of the updates, what apt reads of its lists, and dpkg's locks. */
const options = {
  exclude: [
    '/var/lib/offline-update',
    '/var/lib/system-update',
    '/var/lib/dpkg/lock',
    '/var/lib/dpkg/lock-frontend',
  ],
};

/** So little memory that nothing can be rehearsed in it. */
const scarce = `sed 's/^MemAvailable:.*/MemAvailable: 1024 kB/' /proc/meminfo >/run/meminfo && mount --bind /run/meminfo /proc/meminfo`;

type Call = (line: string) => Promise<CommandOutput>;

async function started(t: Test, machine: Machine, boot: BootOptions = {}): Promise<Call> {
  t.teardown(() => machine.dispose());
  await machine.start(boot);
  return (line) => machine.exec(['sh', '-c', line], { check: false });
}

const roots = {
  ext4: () => ImageMachine.make(layer, { type: 'ext4' }),
  xfs: () => ImageMachine.make(layer, { type: 'xfs' }),
  btrfs: () => BtrfsMachine.make(layer, { megabytes: 2048 }),
};

for (const [type, make] of Object.entries(roots)) {
  void t.test(
    `${type}: a rehearsal in memory and one on disk pass, a planted fault is found, no file differs`,
    async (t) => {
      const machine = await make();
      const call = await started(t, machine);
      t.equal((await call('findmnt -no FSTYPE /')).stdout, `${type}\n`);
      await call('offline-update prepare --no-refresh lab-good');
      const trigger = async (words = ''): Promise<CommandOutput> => {
        const before = await machine.tree(options);
        const output = await call(
          `offline-update trigger ${words}; code=$?; offline-update cancel >&2; exit $code`,
        );
        t.strictSame(
          treeDifference(before, await machine.tree(options)),
          [],
          'the running system is as it was',
        );
        return output;
      };
      for (const storage of ['memory', 'disk']) {
        if (storage === 'disk') await call(`rm /var/lib/offline-update/updates/*/rehearsal.json; ${scarce}`);
        const { stdout, stderr } = await trigger('--json');
        const { rehearsal } = JSON.parse(stdout) as { rehearsal: Rehearsal };
        t.match(
          rehearsal,
          { outcome: 'passed', storage, fileSystems: [{ path: '/' }] },
          `${storage} ${stderr}`,
        );
      }
      await call('offline-update prepare --no-refresh lab-postinst-fails');
      const failed = await trigger();
      t.equal(failed.exitCode, 5);
      t.match(failed.stderr, /in the phase install: .*lab-postinst-fails.*post-installation script/s);
      t.equal((await call('ls /var/lib/offline-update; grep throw-away /proc/mounts')).stdout, 'updates\n');
    },
  );
}

void t.test(
  'where there can be no rehearsal the person is told why, in words, and the update is armed',
  async (t) => {
    const machine = await Machine.on(layer);
    // a root that is an overlay over an overlay: as deep as Linux stacks them
    const call = await started(t, machine, { args: ['--volatile=overlay'] });
    await call('offline-update prepare --no-refresh lab-good');
    const warned = async (line: string): Promise<string> => {
      const { exitCode, stderr } = await call(line);
      t.equal(exitCode, 0, 'it is armed');
      await call('offline-update cancel');
      return stderr;
    };
    const say = (why: string): string => `Warning: the update cannot be rehearsed here: ${why} [rehearsal]`;
    t.match(
      await warned('offline-update trigger'),
      say('/ is an overlay over an overlay, and Linux stacks no third one'),
    );
    const forbidden = say(
      'namespaces are not allowed here (unshare: unshare failed: Operation not permitted)',
    );
    for (const property of ['RestrictNamespaces=yes', 'CapabilityBoundingSet=~CAP_SYS_ADMIN']) {
      const inUnit = `systemd-run --quiet --pipe --wait --property=${property}`;
      t.match(await warned(`${inUnit} offline-update trigger`), forbidden, property);
    }
    await call(scarce);
    const full =
      'memory is too small for it, and the disk is an overlay, which cannot be the upper layer of another one';
    t.match(await warned('offline-update trigger'), say(full));
  },
);
