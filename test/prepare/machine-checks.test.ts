import { mkdirSync, rmSync } from 'node:fs';
import t from 'tap';
import { machineChecks } from '../../src/prepare/preflight/machine/machine-checks.js';
import { preflight } from '../../src/prepare/preflight/preflight.js';
import { stagedUpdate } from '../../src/prepare/staged-update.js';
import { noSnapshots } from '../../src/snapshots/none.js';
import type { Finding } from '../../src/update/finding.js';
import { mountAt } from '../fixtures/mount-at.js';
import { newOnlineMachine, type OnlineMachine } from '../fixtures/online-machine.js';

interface Row {
  check: string;
  fault: string;
  spoil: (machine: OnlineMachine) => void;
  /** What is found; undefined: nothing, though it looks much like the row above it. */
  finds: { severity: Finding['severity']; evidence: string } | undefined;
  prepared?: boolean;
}

const supply = (name: string, files: Record<string, string>) => (machine: OnlineMachine) => {
  for (const [file, text] of Object.entries(files))
    machine.write(`/sys/class/power_supply/${name}/${file}`, `${text}\n`);
};
const battery = (percent: number, status = 'Discharging') =>
  supply('BAT0', { type: 'Battery', status, capacity: String(percent) });
const file = (path: string, text: string) => (machine: OnlineMachine) => {
  machine.write(path, text);
};
const all =
  (...steps: ((machine: OnlineMachine) => void)[]) =>
  (machine: OnlineMachine) => {
    for (const step of steps) step(machine);
  };
const mounted =
  (...mounts: Parameters<typeof mountAt>[]) =>
  (machine: OnlineMachine) => {
    machine.facts.mounts = () => Promise.resolve([mountAt('/'), ...mounts.map((each) => mountAt(...each))]);
  };
const efiVariable = '/sys/firmware/efi/efivars/LoaderBootCountPath-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f';
const countPath = (path: string) => file(efiVariable, `\u0006\0\0\0${path.replace(/./g, '$&\0')}\0\0`);
const notBlessed = (left: number) =>
  `this boot is not yet found good by boot-complete.target: its entry has ${left} tries left, and the update takes one or more`;
const kernelPlanned = (machine: OnlineMachine) => {
  machine.payload.packages.push({ name: 'linux-image-6.13', version: '6.13', content: 'kernel' });
};
const bootImages = all(
  mounted(['/boot']),
  file('/boot/vmlinuz-6.12', 'k'.repeat(1024)),
  file('/boot/initrd.img-6.12', 'i'.repeat(2048)),
);
const bootHas = (bytes: number) => (machine: OnlineMachine) => {
  machine.facts.freeSpace = (path) =>
    Promise.resolve({ bytes: path.endsWith('/boot') ? bytes : 10 ** 10, inodes: 10 ** 6 });
};

const rows: Row[] = [
  {
    check: 'power-supply',
    fault: 'a low battery',
    spoil: all(battery(29), supply('AC', { type: 'Mains', online: '0' })),
    finds: { severity: 'block', evidence: 'the machine runs on its battery, which is at 29 %' },
  },
  {
    check: 'power-supply',
    fault: 'a good battery',
    spoil: battery(30),
    finds: { severity: 'warn', evidence: 'the machine runs on its battery, which is at 30 %' },
  },
  {
    check: 'power-supply',
    fault: 'a low battery on mains',
    spoil: all(battery(5), supply('AC', { type: 'Mains', online: '1' })),
    finds: undefined,
  },
  {
    check: 'power-supply',
    fault: 'a battery that is charged',
    spoil: battery(5, 'Charging'),
    finds: undefined,
  },
  {
    check: 'power-supply',
    fault: 'the battery of a mouse',
    spoil: supply('hid', { type: 'Battery', scope: 'Device', status: 'Discharging', capacity: '5' }),
    finds: undefined,
  },
  {
    check: 'needed-mounts',
    fault: 'a read-only /usr',
    spoil: mounted(['/usr', { writable: false }]),
    finds: { severity: 'block', evidence: '/usr is mounted read-only: packages cannot be installed there' },
  },
  {
    check: 'needed-mounts',
    fault: 'a /var that the boot may go without',
    spoil: all(mounted(['/var']), file('/etc/fstab', '# disks\n/dev/vdb /var ext4 defaults,nofail 0 2\n')),
    finds: {
      severity: 'block',
      evidence: '/var is mounted with "nofail" in /etc/fstab: it may be missing in the update boot',
    },
  },
  {
    check: 'needed-mounts',
    fault: 'a /usr that can be written now, and not in the update boot',
    spoil: all(mounted(['/usr']), file('/etc/fstab', '/dev/vdb /usr ext4 defaults,ro 0 2\n')),
    finds: {
      severity: 'block',
      evidence: '/usr is mounted with "ro" in /etc/fstab: packages cannot be installed there',
    },
  },
  {
    check: 'needed-mounts',
    fault: 'a read-only /usr that fstab says so of: to mount it otherwise now is no way out',
    spoil: all(
      mounted(['/usr', { writable: false }]),
      file('/etc/fstab', '/dev/vdb /usr/ ext4 ro,noatime 0 2\n'),
    ),
    finds: {
      severity: 'block',
      evidence: '/usr is mounted with "ro" in /etc/fstab: packages cannot be installed there',
    },
  },
  {
    check: 'needed-mounts',
    fault: 'a /var in the network, of whatever options',
    spoil: all(
      mounted(['/var', { type: 'nfs4' }]),
      file('/etc/fstab', 'server:/var /var nfs4 defaults 0 0\n'),
    ),
    finds: {
      severity: 'block',
      evidence: '/var is a file system of the network (nfs4): it may be missing in the update boot',
    },
  },
  {
    check: 'needed-mounts',
    fault: 'a /srv in the network, where packages hardly ever install anything',
    spoil: mounted(['/srv', { type: 'nfs4' }]),
    finds: {
      severity: 'warn',
      evidence: '/srv is a file system of the network (nfs4): it may be missing in the update boot',
    },
  },
  {
    check: 'needed-mounts',
    fault: 'a data disk that the boot may go without',
    spoil: all(mounted(['/srv']), file('/etc/fstab', '/dev/vdb /srv ext4 defaults,nofail 0 2\n')),
    finds: {
      severity: 'warn',
      evidence: '/srv is mounted with "nofail" in /etc/fstab: it may be missing in the update boot',
    },
  },
  {
    check: 'needed-mounts',
    fault: 'a /var that is required, and a loader partition on demand',
    spoil: all(
      mounted(['/var'], ['/efi']),
      file('/etc/fstab', '/dev/vdb /var ext4 defaults 0 2\n/dev/vdc /efi vfat x-systemd.automount 0 2\n'),
    ),
    finds: undefined,
  },
  {
    check: 'boot-space',
    fault: 'a full /boot and a kernel in the plan',
    prepared: true,
    spoil: all(kernelPlanned, bootImages, bootHas(16 * 1024 * 1024 + 5119)),
    finds: {
      severity: 'block',
      evidence: '/boot has 16 MiB free, kernels and initramfs images may need 17 MiB',
    },
  },
  {
    check: 'boot-space',
    fault: 'just enough space in /boot',
    prepared: true,
    spoil: all(kernelPlanned, bootImages, bootHas(16 * 1024 * 1024 + 5120)),
    finds: undefined,
  },
  {
    check: 'boot-space',
    fault: 'a full /boot and no kernel in the plan',
    prepared: true,
    spoil: all(bootImages, bootHas(0)),
    finds: undefined,
  },
  {
    check: 'apparmor',
    fault: 'a profile that confines Node.js',
    spoil: file('/sys/kernel/security/apparmor/profiles', 'man (enforce)\n/usr/bin/node (enforce)\n'),
    finds: {
      severity: 'block',
      evidence: 'the AppArmor profile /usr/bin/node (enforce) confines the update service',
    },
  },
  {
    check: 'apparmor',
    fault: 'a profile that only complains',
    spoil: file(
      '/sys/kernel/security/apparmor/profiles',
      '/usr/bin/node (complain)\nnode_exporter (enforce)\n',
    ),
    finds: undefined,
  },
  {
    check: 'boot-assessment',
    fault: 'an entry with a try left',
    spoil: countPath('\\EFI\\Linux\\debian+2-1.efi'),
    finds: { severity: 'block', evidence: notBlessed(2) },
  },
  {
    check: 'boot-assessment',
    fault: 'an entry with tries enough',
    spoil: countPath('/loader/entries/debian+3.conf'),
    finds: { severity: 'warn', evidence: notBlessed(3) },
  },
  {
    check: 'passphrase',
    fault: 'a disk with a passphrase',
    spoil: file('/etc/crypttab', 'root UUID=1 none luks\nswap UUID=2 /dev/urandom swap\n'),
    finds: {
      severity: 'warn',
      evidence: 'root of /etc/crypttab is opened by a passphrase: somebody has to type it in each boot',
    },
  },
  {
    check: 'passphrase',
    fault: 'a disk that a TPM opens',
    spoil: file('/etc/crypttab', 'root UUID=1 - luks,tpm2-device=auto\n'),
    finds: undefined,
  },
  {
    check: 'inhibitors',
    fault: 'a lock on the shutdown',
    spoil: (machine) => {
      machine.facts.shutdownInhibitors = () => Promise.resolve([{ who: 'backup', why: 'writing a tape' }]);
    },
    finds: { severity: 'warn', evidence: 'backup forbids a shutdown now: writing a tape' },
  },
  {
    check: 'sessions',
    fault: 'two sessions of one person and one of another',
    spoil: (machine) => {
      machine.facts.otherUsers = () => Promise.resolve(['zoe', 'ann', 'zoe']);
    },
    finds: { severity: 'warn', evidence: 'logged in besides you: ann, zoe' },
  },
  {
    check: 'default-target-wants',
    fault: 'services wanted by default.target',
    spoil: (machine) => {
      machine.link('../web.service', '/etc/systemd/system/default.target.wants/web.service');
      machine.link('../site.service', '/usr/local/lib/systemd/system/default.target.wants/site.service');
    },
    finds: {
      severity: 'warn',
      evidence: 'site.service, web.service: wanted by default.target, so started in the update boot as well',
    },
  },
  {
    check: 'other-updaters',
    fault: 'a service of PackageKit, and one of the site',
    spoil: (machine) => {
      machine.link(
        '../packagekit-offline-update.service',
        '/usr/lib/systemd/system/system-update.target.wants/packagekit-offline-update.service',
      );
      machine.link(
        '../site-updater.service',
        '/usr/local/lib/systemd/system/system-update.target.requires/site-updater.service',
      );
    },
    finds: {
      severity: 'info',
      evidence:
        'started in the update boot as well: packagekit-offline-update.service, site-updater.service; each should end at once, since the trigger is ours',
    },
  },
  {
    check: 'selinux',
    fault: 'enforcing mode',
    spoil: file('/sys/fs/selinux/enforce', '1'),
    finds: {
      severity: 'warn',
      evidence: 'SELinux is enforcing: whether its policy lets the update boot work was not tried',
    },
  },
  {
    check: 'selinux',
    fault: 'permissive mode',
    spoil: file('/sys/fs/selinux/enforce', '0'),
    finds: undefined,
  },
  {
    check: 'selinux',
    fault: 'a relabel in the next boot',
    spoil: file('/.autorelabel', ''),
    finds: {
      severity: 'warn',
      evidence:
        '/.autorelabel is there: the next boot labels all files first and reboots, then the update starts',
    },
  },
  {
    check: 'clock',
    fault: 'a clock that went back',
    spoil: (machine) => {
      machine.facts.lastKnownTime = () => Promise.resolve(new Date(Date.UTC(2031, 0)));
    },
    finds: {
      severity: 'warn',
      evidence: 'the clock says 2030-01-01T00:00:00.000Z, but it was 2031-01-01T00:00:00.000Z before',
    },
  },
  {
    check: 'clock',
    fault: 'a plan from the future',
    prepared: true,
    spoil: (machine) => {
      machine.facts.now = () => new Date(Date.UTC(2026, 0));
      machine.facts.lastKnownTime = () => Promise.resolve(undefined);
    },
    finds: {
      severity: 'warn',
      evidence: 'the clock says 2026-01-01T00:00:00.000Z, but it was 2026-11-20T15:00:01.000Z before',
    },
  },
  ...['', 'uninitialized'].map((id): Row => ({
    check: 'machine-id',
    fault: `the machine id "${id}"`,
    spoil: all(
      (machine) => {
        rmSync(machine.path('/etc/machine-id'));
      },
      file('/etc/machine-id', `${id}\n`),
    ),
    finds: {
      severity: 'warn',
      evidence: `/etc/machine-id holds ${id === '' ? 'nothing' : `"${id}"`}: the next boot would be a first boot`,
    },
  })),
  {
    check: 'kernel-modules',
    fault: 'modules of another kernel only',
    spoil: (machine) => {
      mkdirSync(machine.path('/lib/modules/6.12.2'), { recursive: true });
    },
    finds: {
      severity: 'warn',
      evidence: 'the running kernel 6.12.1 has no modules in /lib/modules any more',
    },
  },
  {
    check: 'kernel-modules',
    fault: 'modules of the running kernel, too',
    spoil: (machine) => {
      for (const each of ['6.12.1', '6.12.2'])
        mkdirSync(machine.path(`/lib/modules/${each}`), { recursive: true });
    },
    finds: undefined,
  },
  {
    check: 'metered',
    fault: 'a metered connection before the download',
    spoil: (machine) => {
      machine.facts.isMetered = () => Promise.resolve(true);
    },
    finds: {
      severity: 'warn',
      evidence: 'the connection to the network is metered: a download may cost money',
    },
  },
  {
    check: 'metered',
    fault: 'a metered connection after the download',
    prepared: true,
    spoil: (machine) => {
      machine.facts.isMetered = () => Promise.resolve(true);
    },
    finds: undefined,
  },
];

async function findings(machine: OnlineMachine): Promise<Finding[]> {
  const { online, facts } = machine.ports;
  const state = (await online.store.current())?.journal.state;
  return preflight(
    {
      paths: online.paths,
      fs: online.fs,
      facts,
      policy: await machine.ports.policy(),
      payload: await machine.ports.payload(),
      snapshots: noSnapshots,
      failedBefore: () => Promise.resolve(undefined),
      staged: state?.name === 'prepared' ? await stagedUpdate(online, state.planHash) : undefined,
    },
    machineChecks,
  );
}

for (const { check, fault, spoil, finds, prepared } of rows) {
  const says = finds ? `tells of ${fault}, and no other check does` : `is quiet with ${fault}`;
  void t.test(`${check} ${says}`, async (t) => {
    const machine = newOnlineMachine(t);
    spoil(machine);
    if (prepared) await machine.cli('prepare');
    const found = await findings(machine);
    t.ok(found.every(({ remedy }) => remedy !== ''));
    t.strictSame(
      found.map(({ check, severity, evidence }) => ({ check, severity, evidence })),
      finds ? [{ check, ...finds }] : [],
    );
  });
}

void t.test(
  'every check of the machine fires in a row here, and all are quiet on a sound machine',
  async (t) => {
    const firing = new Set(rows.filter(({ finds }) => finds).map(({ check }) => check));
    t.strictSame(
      machineChecks.map(({ id }) => id).filter((id) => !firing.has(id)),
      [],
    );
    t.strictSame(await findings(newOnlineMachine(t)), []);
  },
);
