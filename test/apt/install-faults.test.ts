import t from 'tap';
import { aptMachine, fixtureMachines, stage, terminalLog, type AptMachine } from '../fixtures/apt-machine.js';
import { debOf, machineWithVersion1, type Deb } from '../laboratory/laboratory.js';

const machineFor = await fixtureMachines([
  'lab-good',
  'lab-postinst-fails',
  'lab-preinst-fails',
  'lab-hangs',
  'lab-slow',
  'lab-big',
  'lab-library',
]);

/** A finding of the verification that a package is not where the plan wants it. */
function notThere(name: string, to: string, found: string): object {
  const evidence = `${name}:all should be ${to} ii and is ${found}`;
  return { check: 'package-state', severity: 'block', evidence, remedy: 'offline-update report' };
}

void t.test(
  "a failing postinst fails the installation with its name and dpkg's words; the others are there",
  async (t) => {
    const { drive, state } = await machineFor(t, ['lab-postinst-fails', 'lab-good']);
    const [install, verify] = await drive(['install', 'verify']);
    t.equal(install?.error?.code, 'INSTALL_FAILED');
    const [first, ...rest] = (install?.error?.message ?? '').split('\n');
    t.equal(
      first,
      'apt-get failed (exit code 100): lab-postinst-fails: installed lab-postinst-fails package ' +
        'post-installation script subprocess returned error exit status 1',
    );
    t.match(rest.join('\n'), /^The last lines of the terminal log:\n(.*\n)*lab: failing\n/);
    t.equal(await state('lab-good'), 'ii 2.0');
    t.same(
      verify?.findings?.map(({ check }) => check),
      ['package-state', 'dpkg-audit', 'apt-check'].slice(0, 2),
    );
    t.same(verify?.findings?.[0], notThere('lab-postinst-fails', '2.0', '2.0 iF'));
  },
);

void t.test(
  'a failing preinst fails the installation with the name of its package, not of its file',
  async (t) => {
    const { drive, state } = await machineFor(t, ['lab-preinst-fails', 'lab-good']);
    const [install, verify] = await drive(['install', 'verify']);
    t.equal(install?.error?.code, 'INSTALL_FAILED');
    t.match(
      install?.error?.message,
      /^apt-get failed \(exit code 100\): lab-preinst-fails: new lab-preinst-fails package pre-i/,
    );
    t.equal(await state('lab-preinst-fails'), 'ii 1.0');
    t.same(verify?.findings?.[0], notThere('lab-preinst-fails', '2.0', '1.0 ii'));
  },
);

void t.test(
  'invariant 10: a hanging postinst is a stall; its script is ended, dpkg is not, the others are there',
  async (t) => {
    const { drive, state } = await machineFor(t, ['lab-hangs', 'lab-good']);
    const [install] = await drive(['install'], { policy: { stallTimeoutSeconds: 2 } });
    t.equal(install?.error?.code, 'INSTALL_STALLED');
    t.equal(
      install?.error?.message,
      'no progress and no CPU or disk use for 2 s while working on lab-hangs; ' +
        'the last sign of life: Configuring lab-hangs (0 of 2)',
    );
    t.ok(install && install.seconds < 5, `${install?.seconds} s`);
    t.same([await state('lab-hangs'), await state('lab-good')], ['iF 2.0', 'ii 2.0']);
  },
);

void t.test('invariant 10: a silent script that uses the CPU is no stall', async (t) => {
  const { drive, state } = await machineFor(t, ['lab-slow']);
  const [install] = await drive(['install'], { policy: { stallTimeoutSeconds: 1 } });
  t.equal(install?.error, undefined);
  t.ok(install && install.seconds > 2, `${install?.seconds} s`);
  t.equal(await state('lab-slow'), 'ii 2.0');
});

void t.test('a missing .deb is refused by apt before anything is touched', async (t) => {
  const { drive, machine, state } = await machineFor(t, ['lab-good', 'lab-library']);
  await machine.remove(`${stage}/packages/lab-good_2.0_all.deb`);
  const [install] = await drive(['install']);
  t.equal(install?.error?.code, 'INSTALL_FAILED');
  t.match(install?.error?.message, /^apt-get failed \(exit code 100\): E: Unable to fetch some archives/);
  t.same([await state('lab-good'), await state('lab-library')], ['ii 1.0', 'ii 1.0']);
});

void t.test(
  'a changed .deb of the same size is installed by apt: only the seal protects from that',
  async (t) => {
    const { drive, machine } = await machineFor(t, ['lab-good']);
    await machine.run(
      `sed -i 's/lab: good postinst/lab: evil postinst/' ${stage}/packages/lab-good_2.0_all.deb`,
    );
    const [install] = await drive(['install']);
    t.equal(install?.error, undefined);
    t.match(await machine.read(terminalLog), /lab: evil postinst/);
  },
);

void t.test("a full disk fails the installation with dpkg's words", async (t) => {
  const { drive, state } = await machineFor(t, ['lab-big'], { storageMegabytes: 14 });
  const [install] = await drive(['install']);
  t.equal(install?.error?.code, 'INSTALL_FAILED');
  t.match(install?.error?.message, /lab-big: .*No space left on device/);
  t.equal(await state('lab-big'), 'ii 1.0');
});

/** Holds dpkg's frontend lock as another package manager would: until `until` is true in the shell. */
const holdLock = (seconds: number): string => `perl -MFcntl -e '
  open(my $f, ">>", "/var/lib/dpkg/lock-frontend"); my $l = pack("ssx4qqi", F_WRLCK, 0, 0, 0, 0);
  fcntl($f, F_SETLK, $l) or die; open(my $s, ">", "/run/locked"); close($s); select(undef, undef, undef, ${seconds})' &
until [ -e /run/locked ]; do :; done`;

void t.test("somebody else's lock is waited for", async (t) => {
  const { drive } = await machineFor(t, ['lab-good']);
  const [install, verify] = await drive(['install', 'verify'], {
    before: holdLock(1.5),
    policy: { stallTimeoutSeconds: 1 },
  });
  t.equal(install?.error, undefined, 'waiting for a lock is no stall either');
  t.ok(install && install.seconds > 1, `${install?.seconds} s`);
  t.same(verify?.findings, []);
});

void t.test('a lock that is never let go names its holder', async (t) => {
  const { drive, state } = await machineFor(t, ['lab-good']);
  const [install] = await drive(['install'], { before: holdLock(600), policy: { lockTimeoutSeconds: 1 } });
  t.equal(install?.error?.code, 'BUSY');
  t.match(
    install?.error?.message,
    /^\/var\/lib\/dpkg\/lock-frontend is held by process \d+ \(perl\), which has done nothing for 1 s$/,
  );
  t.equal(await state('lab-good'), 'ii 1.0');
});

void t.test('an exit code 100 after a complete installation is judged by the database', async (t) => {
  // apt exits so when the reader of its status lines died
  const { drive } = await machineFor(t, ['lab-good']);
  const [install, verify] = await drive(['install', 'verify'], { exitCode: 100 });
  t.same([install?.error, verify?.findings], [undefined, []]);
});

void t.test(
  'invariant 9: what should be installed again at its version was there before as well',
  async (t) => {
    const rebuilt = (preinst: string): Deb =>
      debOf({
        name: 'lab-good',
        version: '1.0',
        depends: 'dpkg',
        files: { '/usr/share/lab-good/rebuilt': '' },
        scripts: { preinst },
      });
    const layer = await machineWithVersion1(['lab-good']);
    const made = async (deb: Deb): Promise<AptMachine> => {
      const one = await aptMachine(layer, [deb]);
      t.teardown(() => one.dispose());
      t.match(one.plan.changes[0], { from: '1.0', to: '1.0' });
      for (const change of one.plan.changes) change.action = 'reinstall';
      return one;
    };
    const fails = await made(rebuilt('exit 1'));
    const [install, heal] = await fails.drive(['install', 'heal']);
    t.equal(await fails.state('lab-good'), 'ii 1.0', 'dpkg put the former one back');
    t.match([install?.error, heal?.error], [{ code: 'INSTALL_FAILED' }, { code: 'INSTALL_FAILED' }]);
    t.match(heal?.error?.message, 'could not be repaired: not known to be installed again: lab-good');

    const works = await made(rebuilt(':'));
    const [cut, healed, verify] = await works.drive(['install', 'heal', 'verify'], {
      killAt: /Preparing lab-good/,
    });
    t.equal(cut?.killed, true);
    t.same([cut?.error?.code, healed?.error, verify?.findings], ['INSTALL_FAILED', undefined, []]);
    t.ok(works.machine.exists('/usr/share/lab-good/rebuilt'));
  },
);

void t.test(
  'an apt-get that is killed leaves its dpkg working: it is waited for before anything is judged',
  async (t) => {
    const { drive, state } = await machineFor(t, ['lab-slow', 'lab-good']);
    const [install, heal, verify] = await drive(['install', 'heal', 'verify'], {
      killAt: /Configuring lab-slow/,
      killOnlyApt: true,
    });
    t.equal(install?.error?.code, 'INSTALL_FAILED');
    t.match(install?.error?.message, /^apt-get failed \(killed by SIGKILL\): /);
    t.ok(install && install.seconds > 2, `${install?.seconds} s`);
    t.same([heal?.error, verify?.findings], [undefined, []]);
    t.equal(await state('lab-slow'), 'ii 2.0');
  },
);
