import t from 'tap';
import type { Test } from 'tap';
import type { AptMachine, AptMachineOptions } from '../fixtures/apt-machine.js';
import { aptMachine, stage, terminalLog } from '../fixtures/apt-machine.js';
import type { Deb, DebSpec } from '../laboratory/laboratory.js';
import {
  buildDeb,
  debOf,
  Machine,
  machineWithVersion1,
  tinyPackages,
  version2Debs,
} from '../laboratory/laboratory.js';

/** Kills dpkg and apt-get, the first time it runs: the power goes, as far as they know. */
const killsOnce = (marker: string): string => `
if [ ! -e /var/lib/${marker} ]; then
  : > /var/lib/${marker}
  apt=$(sed 's/.*) . \\([0-9]*\\) .*/\\1/' /proc/$PPID/stat)
  case $(cat /proc/$apt/comm) in apt-get) kill -9 $apt ;; esac
  kill -9 $PPID
fi`;

const own: DebSpec[] = [
  { name: 'cut-preinst', version: '2.0', scripts: { preinst: killsOnce('cut-preinst') } },
  { name: 'cut-postinst', version: '2.0', scripts: { postinst: killsOnce('cut-postinst') } },
  {
    name: 'cut-twice',
    version: '2.0',
    scripts: {
      preinst: `[ ! -e /var/lib/cut-once ] || { ${killsOnce('cut-twice')}\n}`,
      postinst: killsOnce('cut-once'),
    },
  },
  { name: 'cut-remove', version: '1.0', scripts: { prerm: killsOnce('cut-remove') } },
  // configured after lab-tiny-003, and then waits, so that there is an installation left to be killed
  {
    name: 'last',
    version: '2.0',
    depends: 'lab-tiny-003',
    scripts: { postinst: 'for i in $(seq 100); do [ -e /run/killed ] || sleep 0.1; done' },
  },
  // its postinst must have run before the other may even be unpacked
  { name: 'pre-first', version: '2.0' },
  { name: 'a-needs-pre', version: '2.0', preDepends: 'pre-first (= 2.0)' },
  // the new version of each breaks the old one of the other
  { name: 'a-breaks', version: '2.0', control: { Breaks: 'broken (<< 2.0)' } },
  { name: 'broken', version: '2.0', control: { Breaks: 'a-breaks (<< 2.0)' } },
];
const names = [
  'lab-good',
  'lab-hangs',
  'lab-postinst-fails',
  'lab-library',
  'lab-program',
  ...tinyPackages(5),
];
const fixtures = await machineWithVersion1(names);
const layer = await (async () => {
  const machine = await Machine.on(fixtures);
  for (const { name, version, scripts = {} } of own) {
    const spec = { name, version: '1.0', scripts: version === '1.0' ? scripts : {} };
    await buildDeb(machine.path('/srv'), spec);
  }
  await machine.run('dpkg --install /srv/*.deb', { args: ['--suppress-sync=yes'] });
  return machine.freeze();
})();

async function machineFor(
  t: Test,
  planned: readonly string[],
  options: AptMachineOptions = {},
): Promise<AptMachine> {
  const made = await aptMachine(layer, planned.flatMap(debsOf), options);
  t.teardown(() => made.dispose());
  return made;
}

function debsOf(name: string): Deb[] {
  const spec = own.find((one) => one.name === name);
  return spec ? [debOf(spec)] : version2Debs([name]);
}

/** How often apt-get was run: a repair is dpkg's work, and apt-get only the last resort. */
async function aptRuns({ machine }: AptMachine): Promise<number> {
  return (
    (await machine.read('/var/log/apt/history.log')).match(/^Commandline: apt-get -o APT::Status-Fd/gm)
      ?.length ?? 0
  );
}

const kinds = [
  /dpkg-exec/,
  /Preparing lab-tiny-003/,
  /Unpacking lab-tiny-003/,
  /Installing lab-tiny-003/,
  /Preparing to configure lab-tiny-003/,
  /Configuring lab-tiny-003/,
  /Installed lab-tiny-003/,
];

for (const killAt of kinds) {
  void t.test(
    `invariant 5: killed at ${killAt.source}, the change is rolled forward from the stage`,
    async (t) => {
      const planned = ['lab-good', 'lab-library', 'lab-program', 'last', ...tinyPackages(5)];
      const made = await machineFor(t, planned);
      const [install, before, heal, after] = await made.drive(['install', 'verify', 'heal', 'verify'], {
        killAt,
      });
      t.equal(install?.killed, true);
      t.equal(install?.error?.code, 'INSTALL_FAILED');
      t.not(before?.findings?.length, 0);
      t.equal(heal?.error, undefined);
      t.same(after?.findings, []);
      const percents = (heal?.progress ?? []).map(({ percent }) => percent);
      t.same(
        percents,
        [...percents].sort((a, b) => a - b),
      );
      t.equal(percents.at(-1), 99);
      t.equal(await aptRuns(made), 1);
    },
  );
}

void t.test('invariant 5: killed in a preinst (iHR), where dpkg --configure -a does not help', async (t) => {
  const { drive, state, machine } = await machineFor(t, ['cut-preinst', 'lab-good']);
  const [install] = await drive(['install']);
  t.equal(install?.error?.code, 'INSTALL_FAILED');
  t.equal(await state('cut-preinst'), 'iHR 1.0');
  const configured = await machine.run('dpkg --configure -a');
  t.equal(configured.exitCode, 0, 'it says that all is well');
  t.equal(await state('cut-preinst'), 'iHR 1.0');
  const [heal, verify] = await drive(['heal', 'verify']);
  t.same([heal?.error, verify?.findings], [undefined, []]);
  t.equal(await state('cut-preinst'), 'ii 2.0');
});

void t.test('invariant 5: killed in a postinst', async (t) => {
  const { drive, state } = await machineFor(t, ['cut-postinst', 'lab-good']);
  const [install, heal, verify] = await drive(['install', 'heal', 'verify']);
  t.equal(install?.error?.code, 'INSTALL_FAILED');
  t.same([heal?.error, verify?.findings], [undefined, []]);
  t.equal(await state('cut-postinst'), 'ii 2.0');
});

void t.test('invariant 5: killed in a removal, the package goes and the rest comes', async (t) => {
  const made = await machineFor(t, ['lab-good'], { removed: ['cut-remove'] });
  const { drive, state } = made;
  const [install, heal, verify] = await drive(['install', 'heal', 'verify']);
  t.equal(install?.error?.code, 'INSTALL_FAILED');
  t.same([heal?.error, verify?.findings], [undefined, []]);
  t.equal(await state('lab-good'), 'ii 2.0');
  t.equal((await state('cut-remove')) ?? 'un', 'un');
  t.equal(await aptRuns(made), 1);
});

void t.test('invariant 5: pre-dependencies and breaks stand in no order', async (t) => {
  const made = await machineFor(t, ['a-needs-pre', 'pre-first', 'a-breaks', 'broken']);
  const [heal, verify] = await made.drive(['heal', 'verify']);
  t.same([heal?.error, verify?.findings], [undefined, []]);
  t.equal(made.machine.exists('/var/log/apt/history.log') ? await aptRuns(made) : 0, 0);
});

void t.test('invariant 5: cut a second time, with the new version there in name only', async (t) => {
  const { drive, state, machine } = await machineFor(t, ['cut-twice']);
  const [install] = await drive(['install']);
  t.equal(install?.error?.code, 'INSTALL_FAILED');
  t.equal(await state('cut-twice'), 'iF 2.0');
  await machine.run(`dpkg --install ${stage}/packages/cut-twice_2.0_all.deb`, { check: false });
  t.equal(await state('cut-twice'), 'iHR 2.0');
  const again = await machine.run(`apt-get -c ${stage}/apt.conf -q -y install cut-twice=2.0`, {
    check: false,
  });
  t.same([again.exitCode === 0, await state('cut-twice')], [false, 'iHR 2.0'], 'apt does not help');
  const [heal, verify] = await drive(['heal', 'verify']);
  t.same([heal?.error, verify?.findings], [undefined, []]);
});

void t.test('invariant 10: a package that hung is left out, so that all others get configured', async (t) => {
  const { drive, state } = await machineFor(t, ['lab-hangs', 'cut-postinst', 'lab-good']);
  const [install, heal] = await drive(['heal', 'heal'], { policy: { stallTimeoutSeconds: 1 } });
  const message =
    'left out, because it hung: lab-hangs; lab-hangs:all should be 2.0 ii and is 2.0 iF; dpkg --audit says: ';
  for (const result of [install, heal]) {
    t.equal(result?.error?.code, 'INSTALL_STALLED');
    t.equal(result?.error?.message.slice(0, message.length), message);
  }
  t.ok(heal && heal.seconds < 1, `it is not run again: ${heal?.seconds} s`);
  t.same([await state('lab-hangs'), await state('lab-good')], ['iF 2.0', 'ii 2.0']);
});

void t.test('what cannot be repaired is told, and it ends', async (t) => {
  const { drive, state, machine } = await machineFor(t, ['lab-postinst-fails', 'lab-good']);
  const [install, heal] = await drive(['install', 'heal']);
  t.equal(install?.error?.code, 'INSTALL_FAILED');
  t.equal(heal?.error?.code, 'INSTALL_FAILED');
  t.match(
    heal?.error?.message,
    /^could not be repaired: lab-postinst-fails:all should be 2\.0 ii and is 2\.0 iF; /,
  );
  t.equal(await state('lab-good'), 'ii 2.0');
  const runs = (await machine.read(terminalLog)).match(/^lab: failing$/gm) ?? [];
  t.ok(runs.length <= 6, `the script ran ${runs.length} times`);
});

void t.test('nothing is run when all is there', async (t) => {
  const { drive, machine } = await machineFor(t, ['lab-good'], { automatic: ['lab-good'] });
  await drive(['install']);
  const log = await machine.read(terminalLog);
  await machine.run('apt-mark -qq manual lab-good');
  const [heal] = await drive(['heal']);
  t.same([heal?.error, heal?.progress], [undefined, []]);
  t.equal(await machine.read(terminalLog), log);
  t.equal((await machine.run('apt-mark showauto lab-good')).stdout, 'lab-good\n', 'the marks are set right');
});
