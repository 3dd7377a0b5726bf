import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { machineChecks } from '../../src/prepare/preflight/machine/machine-checks.js';
import { failedBefore } from '../../src/prepare/failed-before.js';
import { checks, preflight } from '../../src/prepare/preflight/preflight.js';
import { stagedUpdate } from '../../src/prepare/staged-update.js';
import { noSnapshots } from '../../src/snapshots/none.js';
import { UpdateError } from '../../src/update/errors.js';
import { markText } from '../../src/update/fallback-mark.js';
import type { Finding } from '../../src/update/finding.js';
import { newOnlineMachine, type OnlineMachine } from '../fixtures/online-machine.js';

/** Everything that is found on a machine with a prepared update. */
async function findings(machine: OnlineMachine): Promise<Finding[]> {
  const { online, facts } = machine.ports;
  const state = (await online.store.current())?.journal.state;
  const staged = state?.name === 'prepared' ? await stagedUpdate(online, state.planHash) : undefined;
  return preflight({
    paths: online.paths,
    fs: online.fs,
    facts,
    policy: await machine.ports.policy(),
    payload: await machine.ports.payload(),
    snapshots: noSnapshots,
    failedBefore: (plan) => failedBefore(online, plan),
    staged,
  });
}

interface Row {
  check: string;
  severity: Finding['severity'];
  fault: string;
  /** Done before `prepare`. */
  before?: (machine: OnlineMachine) => void;
  spoil?: (machine: OnlineMachine) => void;
  /** With the machine's own root left out. */
  evidence: string;
  remedy: string;
}

const units = '/usr/lib/systemd/system';
const generators = '/usr/lib/systemd/system-generators';
const reinstall = 'apt install --reinstall offline-update';
const unmaskGenerator =
  'apt install --reinstall offline-update, and remove the mask in /etc/systemd/system-generators';
const room = 'make room, for example: apt-get clean; journalctl --vacuum-size=100M';
const newPlan = 'offline-update prepare';

const rows: Row[] = [
  {
    check: 'trigger-left',
    severity: 'block',
    fault: 'a link of ours on the second path',
    spoil: (machine) => {
      machine.link('/var/lib/system-update', '/etc/system-update');
    },
    evidence: '/etc/system-update is set, but no update is armed: the next boot will refuse it',
    remedy: 'offline-update cancel',
  },
  {
    check: 'trigger-foreign',
    severity: 'block',
    fault: 'another tool on the first path',
    spoil: (machine) => {
      machine.link('/var/cache/PackageKit/prepared-update', '/system-update');
    },
    evidence:
      '/system-update points to /var/cache/PackageKit/prepared-update: an update of PackageKit is armed',
    remedy: 'reboot to let that update run, or drop it: rm /system-update',
  },
  {
    check: 'trigger-foreign',
    severity: 'block',
    fault: 'an unknown tool on the second path',
    spoil: (machine) => {
      machine.link('/opt/tool', '/etc/system-update');
    },
    evidence: '/etc/system-update points to /opt/tool: an update of another tool is armed',
    remedy: 'reboot to let that update run, or drop it: rm /etc/system-update',
  },
  {
    check: 'trigger-foreign',
    severity: 'block',
    fault: 'a file in the place of the link',
    spoil: (machine) => {
      machine.write('/system-update', '');
    },
    evidence: '/system-update is a file, not a link: systemd takes it for an armed update',
    remedy: 'reboot to let that update run, or drop it: rm /system-update',
  },
  {
    check: 'trigger-foreign',
    severity: 'block',
    fault: 'a folder in the place of the link',
    spoil: (machine) => {
      mkdirSync(machine.path('/system-update'));
    },
    evidence: '/system-update is a folder, not a link: systemd takes it for an armed update',
    remedy: 'look into it, then: rmdir /system-update',
  },
  {
    check: 'chroot',
    severity: 'block',
    fault: 'a chroot',
    spoil: (machine) => {
      machine.facts.isChroot = () => Promise.resolve(true);
    },
    evidence: "this is a chroot: the boot that would install the update is not this system's",
    remedy: 'boot the system and trigger there',
  },
  {
    check: 'chroot',
    severity: 'block',
    fault: 'another init',
    spoil: (machine) => {
      machine.facts.runsUnderSystemd = () => Promise.resolve(false);
    },
    evidence: 'systemd does not run here: nothing would boot into the update',
    remedy: 'boot the system with systemd and trigger there',
  },
  {
    check: 'root-writable',
    severity: 'block',
    fault: 'a read-only root and /etc',
    spoil: (machine) => {
      machine.facts.isWritableFolder = () => Promise.resolve(false);
    },
    evidence:
      '/ cannot be written, and /etc/system-update is no way out here (systemd 254 or newer, /etc writable)',
    remedy: 'mount -o remount,rw /',
  },
  {
    check: 'root-writable',
    severity: 'block',
    fault: 'a root that can be written now, and not in the update boot',
    spoil: (machine) => {
      machine.write('/etc/fstab', '/dev/vda1 / ext4 ro,noatime 0 1\n');
    },
    evidence: '/ is mounted with "ro" in /etc/fstab: the update boot could not take the trigger away',
    remedy: 'take "ro" out of the line of / in /etc/fstab; systemctl daemon-reload',
  },
  {
    check: 'root-switched',
    severity: 'block',
    fault: 'a rollback before its reboot',
    spoil: (machine) => {
      machine.write(
        '/var/lib/offline-update/fallback.json',
        markText({ id: '20261120T160000-0000', provider: 'fake', failedRoot: '@', role: 'kept' }),
      );
    },
    evidence: 'the next boot goes back: what is prepared here is not for that system',
    remedy: 'systemctl reboot',
  },
  ...[
    'systemd.unit=multi-user.target',
    'single',
    'rescue',
    'emergency',
    '-b',
    '-s',
    's',
    'S',
    '1',
    '3',
    '5',
  ].map((word): Row => ({
    check: 'kernel-command-line',
    severity: 'block',
    fault: word,
    spoil: (machine) => {
      machine.facts.kernelCommandLine = () => Promise.resolve(['root=/dev/vda', word, 'quiet']);
    },
    evidence: `"${word}" on the kernel command line overrides the update boot`,
    remedy: "take it out of the boot loader's configuration and reboot",
  })),
  {
    check: 'target-masked',
    severity: 'block',
    fault: 'system-update.target masked',
    spoil: (machine) => {
      machine.link('/dev/null', '/etc/systemd/system/system-update.target');
    },
    evidence: 'system-update.target is masked by /etc/systemd/system/system-update.target',
    remedy: 'systemctl unmask system-update.target',
  },
  {
    check: 'target-masked',
    severity: 'block',
    fault: 'system-update.target missing',
    spoil: (machine) => {
      rmSync(machine.path(`${units}/system-update.target`));
    },
    evidence: 'there is no system-update.target on this system',
    remedy: 'apt install --reinstall systemd',
  },
  {
    check: 'unit-missing',
    severity: 'block',
    fault: 'our unit gone',
    spoil: (machine) => {
      rmSync(machine.path(`${units}/offline-update.service`));
    },
    evidence: 'there is no offline-update.service',
    remedy: reinstall,
  },
  {
    check: 'unit-missing',
    severity: 'block',
    fault: 'our unit not wanted',
    spoil: (machine) => {
      rmSync(machine.path(`${units}/system-update.target.wants`), { recursive: true });
    },
    evidence:
      'offline-update.service is not in system-update.target.wants: the update boot would not start it',
    remedy: reinstall,
  },
  {
    check: 'unit-masked',
    severity: 'block',
    fault: 'our unit masked by a link',
    spoil: (machine) => {
      machine.link('/dev/null', '/run/systemd/system/offline-update.service');
    },
    evidence: 'offline-update.service is masked by /run/systemd/system/offline-update.service',
    remedy: 'systemctl unmask offline-update.service',
  },
  {
    check: 'unit-masked',
    severity: 'block',
    fault: 'the guard masked by an empty file',
    spoil: (machine) => {
      machine.write('/etc/systemd/system/offline-update-guard.service', '');
    },
    evidence: 'offline-update-guard.service is masked by /etc/systemd/system/offline-update-guard.service',
    remedy: 'systemctl unmask offline-update-guard.service',
  },
  {
    check: 'generator-masked',
    severity: 'warn',
    fault: 'our generator masked',
    spoil: (machine) => {
      machine.link('/dev/null', '/etc/systemd/system-generators/offline-update-generator');
    },
    evidence:
      "offline-update-generator is masked by /etc/systemd/system-generators/offline-update-generator; systemd's own leads into the update, without our guards against hanging",
    remedy: unmaskGenerator,
  },
  {
    check: 'generator-masked',
    severity: 'block',
    fault: 'both generators out of use',
    spoil: (machine) => {
      chmodSync(machine.path(`${generators}/offline-update-generator`), 0o644);
      rmSync(machine.path(`${generators}/systemd-system-update-generator`));
    },
    evidence: `${generators}/offline-update-generator is not executable, and systemd-system-update-generator is not installed: nothing would lead into the update boot`,
    remedy: unmaskGenerator,
  },
  {
    check: 'stage-intact',
    severity: 'block',
    fault: 'a changed file',
    spoil: (machine) => {
      writeFileSync(join(machine.paths.stage, 'packages/alpha_2.0_all.deb'), 'ALPHA, version two');
    },
    evidence: 'the content of packages/alpha_2.0_all.deb is not what was sealed',
    remedy: newPlan,
  },
  {
    check: 'drift',
    severity: 'block',
    fault: 'packages changed',
    spoil: (machine) => {
      machine.payload.fingerprint = 'b'.repeat(64);
    },
    evidence: 'the installed packages changed since the plan was made',
    remedy: newPlan,
  },
  {
    check: 'dpkg-dirty',
    severity: 'block',
    fault: 'what the payload finds',
    spoil: (machine) => {
      machine.payload.findings = [
        {
          check: 'dpkg-dirty',
          severity: 'block',
          evidence: 'alpha is half installed',
          remedy: 'dpkg --audit',
        },
      ];
    },
    evidence: 'alpha is half installed',
    remedy: 'dpkg --audit',
  },
  {
    check: 'lock-held',
    severity: 'warn',
    fault: 'apt at work',
    spoil: (machine) => {
      const holder = { pid: 42, command: 'apt', lock: '/var/lib/dpkg/lock-frontend' };
      machine.facts.packageLockHolder = () => Promise.resolve(holder);
    },
    evidence: 'apt (process 42) holds /var/lib/dpkg/lock-frontend: it may change the system',
    remedy: 'wait until it has ended: offline-update status tells whether the plan still fits',
  },
  {
    check: 'disk-space',
    severity: 'block',
    fault: 'one byte too little',
    spoil: (machine) => {
      const bytes = 64 * 1024 * 1024 + 4096 - 1;
      machine.facts.freeSpace = () => Promise.resolve({ bytes, inodes: 10 ** 6 });
    },
    evidence: '/ has 64 MiB free, the update needs 65 MiB',
    remedy: room,
  },
  {
    check: 'disk-space',
    severity: 'block',
    fault: 'a small file system of its own for the state',
    spoil: (machine) => {
      machine.facts.freeSpace = (path) =>
        Promise.resolve({ bytes: path === machine.paths.state ? 1024 : 10 ** 10, inodes: 10 ** 6 });
    },
    evidence: '/var/lib/offline-update has 0 MiB free, the update needs 64 MiB',
    remedy: room,
  },
  {
    check: 'disk-space',
    severity: 'block',
    fault: 'no inodes',
    spoil: (machine) => {
      machine.facts.freeSpace = () => Promise.resolve({ bytes: 10 ** 10, inodes: 999 });
    },
    evidence: '/ has only 999 inodes free',
    remedy: room,
  },
  {
    check: 'snapshot',
    severity: 'block',
    fault: 'a way back is required',
    before: (machine) => {
      machine.write('/etc/offline-update/config.toml', 'snapshot = "require"\n');
    },
    evidence:
      'the policy says snapshot = "require", and there is no way back here: no snapshot provider for this root file system',
    remedy: 'set snapshot = "prefer" in /etc/offline-update/config.toml and prepare again',
  },
];

void t.test('on a sound machine every check is quiet, with and without a prepared update', async (t) => {
  const machine = newOnlineMachine(t);
  t.strictSame(await findings(machine), []);
  await machine.cli('prepare');
  t.strictSame(await findings(machine), []);
  const doctor = await machine.cli('doctor');
  t.equal(doctor.exitCode, 0);
  t.equal(doctor.stdout, 'Nothing stands in the way.\n');
});

for (const { check, severity, fault, before, spoil, evidence, remedy } of rows) {
  void t.test(`${check} tells of ${fault}, and no other check does`, async (t) => {
    const machine = newOnlineMachine(t);
    before?.(machine);
    await machine.cli('prepare');
    spoil?.(machine);
    const found = (await findings(machine)).map((finding) => ({
      ...finding,
      evidence: finding.evidence.replaceAll(machine.root, '').replace(/^ cannot/, '/ cannot'),
      remedy: finding.remedy.replaceAll(machine.root, ''),
    }));
    t.strictSame(found, [{ check, severity, evidence, remedy }]);
    const doctor = await machine.cli('doctor', '--json');
    t.equal(doctor.exitCode, severity === 'block' ? 5 : 0);
    t.match(doctor.json(), { blocked: severity === 'block', findings: [{ check }] });
  });
}

void t.test(
  'a wanted link in /etc, and a wants link that is dangling, count as systemd counts them',
  async (t) => {
    const machine = newOnlineMachine(t);
    rmSync(machine.path(`${units}/system-update.target.wants`), { recursive: true });
    machine.link('/nowhere', '/etc/systemd/system/system-update.target.wants/offline-update.service');
    t.strictSame(await findings(machine), []);
  },
);

void t.test('a unit that is a link to its file is followed below the root', async (t) => {
  const machine = newOnlineMachine(t);
  machine.link(`${units}/offline-update.service`, '/etc/systemd/system/offline-update.service');
  t.strictSame(await findings(machine), []);
});

void t.test('a check that cannot be carried out blocks', async (t) => {
  const machine = newOnlineMachine(t);
  machine.facts.freeSpace = () => Promise.reject(new UpdateError('INTERNAL', 'statfs failed'));
  t.strictSame(await findings(machine), [
    {
      check: 'disk-space',
      severity: 'block',
      evidence: 'this could not be checked: statfs failed',
      remedy: 'offline-update doctor',
    },
  ]);
});

void t.test('every check of the table has its row here', (t) => {
  const told = new Set(rows.map(({ check }) => check));
  // what the payload finds bears ids of its own; failed-before.test.ts is about what failed
  const elsewhere = new Set(machineChecks.map(({ id }) => id));
  t.strictSame(
    checks.map(({ id }) => id).filter((id) => !told.has(id) && !elsewhere.has(id)),
    ['failed-before', 'payload'],
  );
  t.end();
});

void t.test(
  'doctor tells of a stage that is gone as of any other fault, with the step that is possible',
  async (t) => {
    const machine = newOnlineMachine(t);
    machine.facts.kernelCommandLine = () => Promise.resolve(['3']);
    await machine.cli('prepare');
    const plan = readFileSync(machine.path('/var/lib/system-update/plan.json'), 'utf8');
    const check = async (): Promise<string> => {
      const { exitCode, stdout } = await machine.cli('doctor');
      t.equal(exitCode, 5);
      t.match(stdout, '[kernel-command-line]', 'the others look all the same');
      return stdout.replaceAll(machine.root, '');
    };
    machine.write('/var/lib/system-update/plan.json', plan.replace('{', '{ '));
    const another =
      'BLOCKED: the plan in the stage is not the one that was prepared [stage-intact]\n  offline-update';
    t.match(await check(), `${another} prepare\n`);
    machine.facts.kernelCommandLine = () => Promise.resolve([]);
    await machine.cli('prepare');
    t.equal((await machine.cli('trigger')).exitCode, 0);
    machine.facts.kernelCommandLine = () => Promise.resolve(['3']);
    machine.write('/var/lib/system-update/plan.json', plan);
    t.match(await check(), `${another} cancel\n`);
    rmSync(machine.paths.stage, { recursive: true });
    t.match(
      await check(),
      'BLOCKED: /var/lib/system-update holds no plan [stage-intact]\n  offline-update cancel\n',
    );
  },
);

void t.test('doctor reads like a list of things to do', async (t) => {
  const machine = newOnlineMachine(t);
  machine.facts.kernelCommandLine = () => Promise.resolve(['3']);
  machine.link('/dev/null', '/etc/systemd/system-generators/offline-update-generator');
  const { exitCode, stdout } = await machine.cli('doctor');
  t.equal(exitCode, 5);
  t.equal(
    stdout,
    `BLOCKED: "3" on the kernel command line overrides the update boot [kernel-command-line]
  take it out of the boot loader's configuration and reboot
Warning: offline-update-generator is masked by /etc/systemd/system-generators/offline-update-generator; systemd's own leads into the update, without our guards against hanging [generator-masked]
  ${unmaskGenerator}
`,
  );
});
