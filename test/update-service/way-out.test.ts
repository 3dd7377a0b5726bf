/** How the machine is left, by what was decided, what the install came to, and what it changed. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { RunCommand } from '../../src/host/command.js';
import { durableFiles } from '../../src/host/durable-files.js';
import { fileSystem } from '../../src/host/file-system.js';
import { systemLog } from '../../src/host/system-log.js';
import type { WayOut } from '../../src/update/events.js';
import { pathsBelow } from '../../src/update/paths.js';
import { defaultPolicy, type Policy } from '../../src/update/policy.js';
import type { StateName } from '../../src/update/state.js';
import { updateStore } from '../../src/update/store.js';
import { leave } from '../../src/update-service/leave.js';
import type { Ports } from '../../src/update-service/ports.js';
import { watchWayOut } from '../../src/update-service/way-out.js';
import { emptyPlan } from '../fixtures/empty-plan.js';
import { image, installs, kexecMachine, plant, type Files } from '../fixtures/kexec-machine.js';
import { unused, unusedPorts } from '../fixtures/service-ports.js';

const kernelChanges = 'the kernel changes: linux-image-6.12.2-amd64';
const softly = 'nothing changes that a kernel, boot loader or initramfs reads';

interface Given {
  action: WayOut;
  because: string | null;
  kexec?: Policy['kexec'];
  outcome?: StateName;
  /** Before the install, and what it writes. */
  before?: Files;
  writes?: Files;
  loads?: boolean;
  refuses?: string;
}
interface Left {
  asked: string[];
  /** Of kexec(8). */
  ran: string[];
  report: { action: unknown; actionBecause: unknown };
}

let machines = 0;

async function left(t: Test, given: Given): Promise<Left> {
  const { action, because, kexec = 'allow', outcome = 'installed', loads = true } = given;
  const root = join(t.testdirName, String((machines += 1)));
  const installed = { [image]: 'kernel', '/boot/initrd.img-6.12.2-amd64': 'initrd' };
  plant(root, { ...kexecMachine, [image]: undefined, '/run/x': '', '/var/lib/x': '', ...given.before });
  const asked: string[] = [];
  const ran: string[] = [];
  const run: RunCommand = (file, args) => {
    if (file === 'kexec') ran.push(args[0] ?? '');
    const exitCode = loads || args[0] !== '--load' ? 0 : 1;
    return Promise.resolve({
      exitCode,
      signal: undefined,
      stdout: '',
      stderr: exitCode ? 'Cannot open' : '',
    });
  };
  const at = {
    paths: pathsBelow(root),
    fs: fileSystem,
    files: durableFiles(fileSystem),
    moment: { now: () => new Date(0), bootId: 'now' },
  };
  const store = updateStore(at);
  const ports: Ports = {
    ...unusedPorts,
    ...at,
    store,
    run,
    log: systemLog({ run: unused, output: process.stderr, toJournal: false }),
    askToLeave(end) {
      asked.push(end);
      return end === given.refuses
        ? Promise.reject(new Error(`nobody will ${end}`))
        : Promise.resolve('the fake');
    },
    kernel: {
      mounts: () =>
        Promise.resolve([
          {
            target: root,
            type: 'ext4',
            source: '/dev/vda',
            root: '/',
            device: '254:0',
            writable: true,
            options: [],
          },
        ]),
    },
  };
  const plan = emptyPlan({ policy: { ...defaultPolicy, kexec } });
  // `auto` comes to no soft-reboot for an update that brings a kernel.
  const isSoft = action === 'soft-reboot' && because !== null;
  plan.payload.changes = [installs(isSoft ? 'openssl' : 'linux-image-6.12.2-amd64')];
  const update = await store.record(plan);
  const armed = { action, ...(because !== null && { because }) };
  await update.journal.append({ event: 'armed', planHash: 'aa', trigger: '/system-update', ...armed });
  const wayOut = await watchWayOut(ports, update, { action, because });
  plant(root, given.writes ?? installed);
  await leave(ports, update, await wayOut(outcome));
  const report = JSON.parse(await fileSystem.readFile(update.paths.report)) as Left['report'];
  return { asked, ran, report };
}

const auto: Given = { action: 'kexec', because: kernelChanges };

void t.test('decided by auto, and nothing in doubt: the new kernel is loaded and started', async (t) => {
  t.testdir({});
  t.match(await left(t, auto), {
    asked: ['kexec'],
    ran: ['--load'],
    report: { action: 'kexec', actionBecause: kernelChanges },
  });
});

/** [what, given, asked, why]: `why` null where nothing needs an explanation. */
const others: [what: string, given: Given, asked: string, why: string | null][] = [
  ['wished by a person', { action: 'reboot', because: null }, 'reboot', null],
  ['wished by a person', { action: 'soft-reboot', because: null }, 'soft-reboot', null],
  ['wished by a person', { action: 'poweroff', because: null }, 'poweroff', null],
  ['foretold without', { action: 'reboot', because: 'owed' }, 'reboot', 'owed'],
  ['enough', { action: 'soft-reboot', because: softly, writes: {} }, 'soft-reboot', softly],
  [
    'a kernel that no package name told of',
    { action: 'soft-reboot', because: softly, writes: { [image]: 'kernel' } },
    'reboot',
    `a soft-reboot is not enough: ${image} changed`,
  ],
  [
    'another part',
    { action: 'soft-reboot', because: softly, writes: { '/etc/fstab': '# new' } },
    'reboot',
    'a soft-reboot is not enough: /etc/fstab changed',
  ],
  ['not allowed', { ...auto, kexec: 'never' }, 'reboot', kernelChanges],
  [
    'another boot asked for meanwhile',
    { ...auto, writes: { [image]: 'kernel', '/boot/grub/grubenv': 'next_entry=1\n' } },
    'reboot',
    `${kernelChanges}; no kexec: GRUB is told to boot another entry once`,
  ],
  [
    'a soft-reboot into the root that is given up',
    { action: 'soft-reboot', because: softly, outcome: 'reverted' },
    'reboot',
    'a soft-reboot would stay in the root that is given up',
  ],
  ...(['refused', 'reverted', 'failed', 'blocked'] as const).map((outcome): (typeof others)[number] => [
    outcome,
    { ...auto, outcome },
    'reboot',
    `${kernelChanges}; no kexec: the update is ${outcome}`,
  ]),
];

void t.test(
  'invariant 4: all else goes by the boot loader, or as it was wished, and nothing is loaded',
  async (t) => {
    t.testdir({});
    for (const [what, given, asked, why] of others) {
      const { report, ...did } = await left(t, { ...given, before: { '/etc/fstab': undefined } });
      t.strictSame(did, { asked: [asked], ran: [] }, what);
      t.strictSame([report.action, report.actionBecause], [asked, why], what);
    }
  },
);

void t.test('a kernel that cannot be loaded, or started, is a reboot with its reason', async (t) => {
  t.testdir({});
  const why = (obstacle: string) => ({
    action: 'reboot',
    actionBecause: `${kernelChanges}; no kexec: ${obstacle}`,
  });
  const unloaded = ['--load', '--unload'];
  t.match(await left(t, { ...auto, loads: false }), {
    asked: ['reboot'],
    ran: unloaded,
    report: why(`kexec could not load ${image}: Cannot open`),
  });
  t.match(await left(t, { ...auto, refuses: 'kexec' }), {
    asked: ['kexec', 'reboot'],
    ran: unloaded,
    report: why('nobody will kexec'),
  });
});
