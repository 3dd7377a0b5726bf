import t, { type Test } from 'tap';
import { join } from 'node:path';
import { fileSystem } from '../../src/host/file-system.js';
import type { RunningSystem } from '../../src/host/running-system.js';
import { owedReboot } from '../../src/update/owed-reboot.js';
import { fakeRunningSystem } from '../fixtures/fake-running-system.js';

const modules = { usr: { lib: { modules: { '6.12.1': {} } } } };

async function owed(
  t: Test,
  root: Parameters<Test['testdir']>[0],
  running: (folder: string) => Partial<RunningSystem> = () => ({}),
): Promise<string | undefined> {
  const folder = t.testdir(root);
  return owedReboot(fileSystem, folder, () => fakeRunningSystem(running(folder)));
}

void t.test('a machine that is as it was when its boot began owes nothing', async (t) => {
  const root = { ...modules, etc: { fstab: '' }, boot: { 'vmlinuz-6.12.1': '' } };
  t.equal(await owed(t, root), undefined);
});

void t.test('another tool asks for a reboot: told with the packages that want it', async (t) => {
  t.equal(
    await owed(t, { ...modules, run: { 'reboot-required': '*** System restart required ***\n' } }),
    'a reboot is owed already: /run/reboot-required asks for it',
  );
  t.equal(
    await owed(t, {
      run: { 'reboot-required': '', 'reboot-required.pkgs': 'linux-base\nlibc6\nlinux-base\n' },
    }),
    'a reboot is owed already: /run/reboot-required asks for it for libc6, linux-base',
  );
});

void t.test('a root to soft-reboot into would be entered instead of the update boot', async (t) => {
  t.equal(
    await owed(t, { run: { nextroot: {} } }),
    '/run/nextroot is there, a soft-reboot would go into that root',
  );
});

void t.test(
  'systemd or the C library was replaced beneath PID 1; other libraries are no reason',
  async (t) => {
    const beneath = (...replacedUnderPid1: string[]) => owed(t, modules, () => ({ replacedUnderPid1 }));
    for (const path of [
      '/usr/lib/systemd/systemd',
      '/usr/lib/x86_64-linux-gnu/systemd/libsystemd-shared-257.so',
      '/usr/lib/x86_64-linux-gnu/libc.so.6',
    ]) {
      t.equal(await beneath(path), `a reboot is owed already: ${path} was replaced beneath PID 1`);
    }
    t.equal(await beneath('/usr/lib/x86_64-linux-gnu/libselinux.so.1'), undefined);
  },
);

void t.test(
  'the modules of the running kernel are gone; not asked where there are none or it is not ours',
  async (t) => {
    const other = { usr: { lib: { modules: { '6.12.2': {} } } } };
    t.equal(
      await owed(t, other),
      'a reboot is owed already: /usr/lib/modules has no modules of the running kernel 6.12.1',
    );
    t.equal(await owed(t, other, () => ({ kernelRelease: undefined })), undefined, 'a container');
    t.equal(await owed(t, {}), undefined, 'a kernel without modules');
  },
);

void t.test('what is read before systemd changed since the boot began', async (t) => {
  const root = {
    ...modules,
    etc: { fstab: '', crypttab: '', hostname: '' },
    boot: { 'vmlinuz-6.12.2': '', grub: { 'grub.cfg': '', grubenv: '' } },
  };
  const changed = (...paths: string[]) =>
    owed(t, root, (folder) => ({
      isChangedInThisBoot: (path) => Promise.resolve(paths.some((each) => join(folder, each) === path)),
    }));
  t.equal(
    await changed('/etc/fstab', '/boot/vmlinuz-6.12.2', '/boot/grub/grub.cfg', '/etc/crypttab'),
    'a reboot is owed already: /boot/grub/grub.cfg, /boot/vmlinuz-6.12.2, /etc/crypttab and 1 more changed since this boot began',
  );
  t.equal(await changed('/etc/hostname', '/boot/grub', '/boot/grub/grubenv'), undefined);
});

void t.test('modules that were built anew while their kernel runs', async (t) => {
  const root = { usr: { lib: { modules: { '6.12.1': { 'modules.dep': '' } } } } };
  const rebuilt = await owed(t, root, (folder) => ({
    isChangedInThisBoot: (path) =>
      Promise.resolve(path === join(folder, 'usr/lib/modules/6.12.1/modules.dep')),
  }));
  t.equal(
    rebuilt,
    'a reboot is owed already: /usr/lib/modules/6.12.1/modules.dep changed since this boot began',
  );
});

void t.test('what cannot be looked at is in doubt, and so a full reboot', async (t) => {
  const sick = (code: string) => (): Promise<never> =>
    Promise.reject(Object.assign(new Error(`${code}: sick`), { code }));
  const root = t.testdir(modules);
  for (const code of ['ENODEV', 'EIO', 'EACCES']) {
    const fs = { ...fileSystem, readFolder: sick(code) };
    const why = `whether a reboot is owed cannot be told: ${code}: sick`;
    t.equal(await owedReboot(fs, root, fakeRunningSystem), why);
    t.equal(await owedReboot(fileSystem, root, sick(code)), why, 'the running system itself');
  }
});
