import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { RunCommand } from '../../src/host/command.js';
import { fileSystem } from '../../src/host/file-system.js';
import { readMounts } from '../../src/host/mounts.js';
import { loadKernel, nextKernel, unloadKernel } from '../../src/update-service/kexec.js';
import { pathsBelow } from '../../src/update/paths.js';
import { fakeRunningSystem } from '../fixtures/fake-running-system.js';
import {
  image,
  initrd,
  installs,
  kexecMachine,
  plant,
  words,
  type Files,
} from '../fixtures/kexec-machine.js';

interface Machine {
  files?: Files;
  changed?: readonly string[];
  packages?: readonly string[];
  kernelRelease?: string | undefined;
  /** Of /proc/self/mountinfo, for the root. */
  mount?: string;
  defaultSubvolume?: number;
  load?: () => Promise<{ exitCode: number; stderr: string }>;
}

let machines = 0;

function machine(t: Test, given: Machine) {
  const root = join(t.testdirName, String((machines += 1)));
  plant(root, { ...kexecMachine, ...given.files });
  const ran: string[] = [];
  const run: RunCommand = async (file, args) => {
    ran.push([file, ...args].join(' '));
    const other = `ID ${given.defaultSubvolume ?? 5} (FS_TREE)`;
    const result = { exitCode: 0, signal: undefined, stdout: file === 'btrfs' ? other : '', stderr: '' };
    return { ...result, ...(file === 'kexec' && (await given.load?.())) };
  };
  plant(root, {
    '/mountinfo': `29 1 0:26 ${given.mount ?? '/ / rw - ext4 /dev/vda2 rw'}`
      .replace('/ / ', `/ ${root} `)
      .replace('/@ / ', `/@ ${root} `),
  });
  const running = 'kernelRelease' in given ? { kernelRelease: given.kernelRelease } : {};
  const ports = {
    fs: fileSystem,
    paths: pathsBelow(root),
    run,
    runningSystem: () => fakeRunningSystem(running),
    kernel: { mounts: () => readMounts(join(root, 'mountinfo')) },
  };
  return { ports, ran };
}

async function tried(t: Test, given: Machine = {}): Promise<unknown> {
  const { packages = ['linux-image-6.12.2-amd64', 'openssl'], changed = [image] } = given;
  const { ports, ran } = machine(t, given);
  const found = await nextKernel(ports, packages.map(installs), changed);
  t.notOk(
    ran.some((line) => line.startsWith('kexec')),
    'nothing is loaded yet',
  );
  return found;
}

const commandLine = `BOOT_IMAGE=/@${image} ${words}`;
const kernel = { image, initrd, commandLine, words: commandLine.split(' ') };
const subvolume = '/@ / rw - btrfs /dev/vda2 rw,subvolid=256,subvol=/@';

void t.test('the kernel that GRUB would start, where it leads to this root', async (t) => {
  t.testdir({});
  t.strictSame(await tried(t), kernel);
  t.strictSame(await tried(t, { mount: subvolume }), kernel);
  const inUpdate = { packages: ['linux-image-6.12.2-amd64', 'kexec-tools'] };
  t.strictSame(await tried(t, inUpdate), kernel, 'kexec-tools that came with it');
});

const efi = (name: string, text: string): Machine => ({
  files: { [`/sys/firmware/efi/efivars/${name}-8be4df61-93ca-11d2-aa0d-00e098032b8c`]: text },
});
const rebootRequired = (names?: string): Machine => ({
  files: { '/run/reboot-required': '', '/run/reboot-required.pkgs': names },
});
const encrypted = { '/sys/class/tpm/tpm0/uevent': '', '/etc/crypttab': '# name\nroot /dev/vda3 none luks\n' };
const doubts: [why: string, machine: Machine][] = [
  ['the update brings no kernel', { packages: ['openssl'] }],
  ['a container has no kernel of its own', { kernelRelease: undefined }],
  ['kexec-tools are not installed', { files: { '/usr/sbin/kexec': undefined } }],
  [
    'the kernel is locked down',
    { files: { '/sys/kernel/security/lockdown': 'none [integrity] confidentiality\n' } },
  ],
  ['kernel.kexec_load_disabled is set', { files: { '/proc/sys/kernel/kexec_load_disabled': '1\n' } }],
  [
    'firmware or microcode changes: intel-microcode',
    { packages: ['linux-image-6.12.2-amd64', 'intel-microcode'] },
  ],
  ['the boot loader changes: grub-pc', { packages: ['linux-image-6.12.2-amd64', 'grub-pc'] }],
  ['the firmware is told to boot something else once', efi('BootNext', '\x07\0\0\0\x03\0')],
  ['the firmware has something to do in a reboot', efi('OsIndications', '\x07\0\0\0\x04\0\0\0\0\0\0\0')],
  ['/run/reboot-required does not say for what', rebootRequired()],
  ['firmware or microcode changes: amd64-microcode', rebootRequired('linux-base\namd64-microcode\n')],
  ['the TPM may hold the key of a disk, by what this boot has measured', { files: encrypted }],
  [
    'it is not the first entry of grub.cfg that boots',
    { files: { '/boot/grub/grub.cfg': 'set default=1\n' } },
  ],
  [`${image}, which boots next, is not from this update`, { changed: ['/boot/grub/grub.cfg'] }],
  [`${initrd} is missing`, { files: { [initrd]: undefined } }],
  [`${image} has no modules`, { files: { '/usr/lib/modules/6.12.2-amd64/modules.dep': undefined } }],
];

void t.test('any doubt is told', async (t) => {
  t.testdir({});
  for (const [why, machine] of doubts) t.equal(await tried(t, machine), why);
  t.strictSame(await tried(t, efi('OsIndications', '\x07\0\0\0\0\0\0\0\0\0\0\0')), kernel);
  t.strictSame(await tried(t, rebootRequired('linux-image-6.12.2-amd64\n')), kernel);
  t.strictSame(await tried(t, { files: { ...encrypted, '/etc/crypttab': '# nothing\n' } }), kernel);
});

void t.test(
  'invariant 4: where another root stands, or may, the boot loader goes there and not we',
  async (t) => {
    t.testdir({});
    const roots: [why: string, machine: Machine][] = [
      [
        'subvol=@ boots, but / is @old now',
        { mount: '/@old / rw - btrfs /dev/vda2 rw,subvolid=257,subvol=/@old' },
      ],
      [
        '/ is the top level of its file system, not a subvolume',
        { mount: '/ / rw - btrfs /dev/vda2 rw,subvolid=5,subvol=/' },
      ],
      [
        '/etc/fstab mounts / by subvolid=',
        { mount: subvolume, files: { '/etc/fstab': 'UUID=7d / btrfs subvolid=256 0 0\n' } },
      ],
    ];
    for (const [why, machine] of roots) t.equal(await tried(t, machine), why);
    const unnamed = 'root=UUID=7d ro quiet';
    const byDefault = (defaultSubvolume: number): Machine => ({
      mount: subvolume,
      defaultSubvolume,
      files: {
        '/proc/cmdline': `BOOT_IMAGE=/@/boot/vmlinuz-6.12.1-amd64 ${unnamed}\n`,
        '/boot/grub/grub.cfg': (kexecMachine['/boot/grub/grub.cfg'] ?? '').replaceAll(words, unnamed),
      },
    });
    t.match(await tried(t, byDefault(256)), { image });
    t.match(await tried(t, byDefault(257)), /^nothing says that @ boots/);
    for (const key of ['copyArmed', 'fallbackArmed', 'fallbackMark'] as const) {
      const { ports } = machine(t, {});
      plant('/', { [ports.paths[key]]: 'x' });
      const found = await nextKernel(ports, [installs('linux-image-6.12.2-amd64')], [image]);
      t.equal(found, `another root is to boot next (${ports.paths[key]})`);
    }
    const { ports } = machine(t, {});
    plant(ports.paths.bootLoaderCalls, { '1.abc': '/dev/vda\n' });
    t.match(
      await nextKernel(ports, [installs('linux-image-6.12.2-amd64')], [image]),
      /^the boot loader is renewed/,
    );
  },
);

void t.test(
  'it is loaded with its initrd and its words; what cannot be loaded, or is not, is told',
  async (t) => {
    t.testdir({});
    const loaded = async (given: Machine): Promise<[string | undefined, string[]]> => {
      const { ports, ran } = machine(t, given);
      return [await loadKernel(ports, kernel), ran];
    };
    const command = `kexec --load ${image} --initrd=${initrd} --command-line=${commandLine}`;
    t.strictSame(await loaded({}), [undefined, [command]]);
    const failing: [why: string, machine: Machine][] = [
      ['Cannot open', { load: () => Promise.resolve({ exitCode: 1, stderr: 'Cannot open\n' }) }],
      ['exit status 255', { load: () => Promise.resolve({ exitCode: 255, stderr: '' }) }],
      ['it ran over 60 s', { load: () => Promise.reject(new Error('it ran over 60 s')) }],
    ];
    for (const [why, given] of failing)
      t.equal((await loaded(given))[0], `kexec could not load ${image}: ${why}`);
    t.equal(
      (await loaded({ files: { '/sys/kernel/kexec_loaded': '0\n' } }))[0],
      `the kernel says that ${image} is not loaded`,
    );
    const { ports, ran } = machine(t, { load: () => Promise.reject(new Error('gone')) });
    await unloadKernel(ports);
    t.strictSame(ran, ['kexec --unload']);
  },
);
