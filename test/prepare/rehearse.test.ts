import { readFileSync, rmSync, mkdirSync, writeFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Rehearsal } from '../../src/update/rehearsal.js';
import { performed } from '../fixtures/fake-rehearsal.js';
import { newOnlineMachine, NO_REHEARSAL, type OnlineMachine } from '../fixtures/online-machine.js';

async function prepared(t: Parameters<typeof newOnlineMachine>[0]): Promise<OnlineMachine> {
  const machine = newOnlineMachine(t);
  rmSync(machine.path(NO_REHEARSAL));
  await machine.cli('prepare');
  return machine;
}

interface Told {
  id: string;
  rehearsal: Rehearsal | null;
  findings: { check: string; severity: string }[];
  error: { code: string; message: string };
}
const told = (called: { json(): Record<string, unknown> }): Told => called.json() as unknown as Told;

void t.test('trigger rehearses what is sealed, tells how long it will be away, and arms', async (t) => {
  const machine = await prepared(t);
  const called = await machine.cli('trigger', '--action', 'reboot');
  t.equal(called.exitCode, 0);
  t.match(called.stdout, /^Rehearsed on a throw-away copy of this system: it installs, in 2\.5 s\.\n/);
  t.match(called.stdout, /^The machine will be away for about 21 s: 8 s down, 3 s installing, 10 s up\.$/m);
  const [call] = machine.rehearsal.calls;
  t.equal(call?.command[2], 'rehearse');
  const order = JSON.parse(call?.command[3] ?? '') as { id: string; planHash: string };
  t.match(order, { id: /^\d{8}T\d{6}-/, planHash: /^[0-9a-f]{64}$/, revertible: false });
  t.equal(call?.options.timeoutSeconds, 1800);
  const rows = readFileSync(
    machine.path(`/var/lib/offline-update/updates/${order.id}/journal.jsonl`),
    'utf8',
  );
  t.match(rows, /"note":"estimate","downSeconds":8,/);
  t.match((await machine.cli('report')).stdout, /^Foretold {3}21 s: 8 s down, 3 s installing, 10 s up$/m);
  await machine.cli('cancel');
  t.match((await machine.cli('trigger')).stdout, /about 13 s: 4 s down, 3 s installing, 6 s up\.$/m, 'soft');
  await machine.cli('cancel');
  const later = (await machine.cli('trigger', '--at', '+2h', '--json')).json();
  t.match(later, { estimate: { downSeconds: 8, upSeconds: 6 } }, 'announced, a full one leads in');
});

void t.test(
  'a rehearsal that fails refuses the trigger with the reason, and the plan stays prepared',
  async (t) => {
    const machine = await prepared(t);
    const reason = { code: 'INSTALL_FAILED', message: 'beta: its postinst ended with 1' };
    const phases = [{ phase: 'install', outcome: 'failed' as const, seconds: 1 }];
    machine.rehearsal.scenes = [performed({ reason, phases }), performed()];
    const called = await machine.cli('trigger', '--json');
    t.equal(called.exitCode, 5);
    t.match(told(called).error, {
      code: 'REHEARSAL_FAILED',
      message: 'the rehearsal failed in the phase install: beta: its postinst ended with 1',
    });
    t.notOk(existsSync(machine.path('/system-update')));
    t.match((await machine.cli('status', '--json')).json(), {
      state: 'prepared',
      rehearsal: { outcome: 'failed', reason },
    });
    t.equal((await machine.cli('trigger')).exitCode, 0, 'and is rehearsed anew: the reason may be mended');
    t.equal(machine.rehearsal.calls.length, 2);
  },
);

void t.test('invariant 7: after a rehearsal the stage is proven once more', async (t) => {
  const machine = await prepared(t);
  const { runThrowAway } = machine.rehearsal;
  machine.rehearsal.runThrowAway = async (...given) => {
    const end = await runThrowAway(...given);
    const path = join(machine.paths.stage, 'packages/alpha_2.0_all.deb');
    writeFileSync(path, readFileSync(path, 'utf8').toUpperCase());
    return end;
  };
  t.match(told(await machine.cli('trigger', '--json')), { error: { code: 'STAGE_TAMPERED' } });
  t.notOk(existsSync(machine.path('/system-update')));
});

void t.test('one that passed is not repeated for the same plan, and is for the next one', async (t) => {
  const machine = await prepared(t);
  const first = told(await machine.cli('prepare', '--rehearse', '--json'));
  t.equal(first.rehearsal?.outcome, 'passed');
  const armed = told(await machine.cli('trigger', '--json'));
  t.strictSame(armed.rehearsal, first.rehearsal);
  t.equal(machine.rehearsal.calls.length, 1);
  await machine.cli('cancel');
  await machine.cli('prepare');
  await machine.cli('trigger');
  t.equal(machine.rehearsal.calls.length, 2);
});

void t.test('what a hook printed is told to who asked, and is not in the file for everybody', async (t) => {
  const machine = await prepared(t);
  const hooks = [{ path: '/etc/hook', exitCode: 0, output: 'PASSWORD=secret' }];
  machine.rehearsal.scenes = [performed({ hooks })];
  const { rehearsal } = told(await machine.cli('trigger', '--json'));
  t.strictSame(rehearsal?.hooks, hooks);
  const file = machine.path(`/var/lib/offline-update/updates/${rehearsal?.id ?? ''}/rehearsal.json`);
  t.match(JSON.parse(readFileSync(file, 'utf8')), { hooks: [{ ...hooks[0], output: '' }] });
});

void t.test('prepare --rehearse of a plan that would fail is blocked, and keeps the plan', async (t) => {
  const machine = await prepared(t);
  machine.rehearsal.scenes = [performed({ reason: { code: 'HOOK_FAILED', message: 'no backup' } })];
  const called = await machine.cli('prepare', '--full', '--rehearse');
  t.equal(called.exitCode, 5);
  t.match(
    called.stderr,
    /is prepared, but would fail\n {2}why: the rehearsal failed: no backup\n {2}next: .*, then offline-update prepare --full\n/,
  );
  t.match((await machine.cli('status', '--json')).json(), { state: 'prepared' });
});

void t.test('where it cannot be it is a warning; where the policy requires it, it blocks', async (t) => {
  const machine = await prepared(t);
  // as mount(8) says it: its last line helps nobody
  const stderr =
    'mount: overlay: too deep\n       dmesg(1) may have more information after failed mount system call.';
  machine.rehearsal.scenes = [{ lines: [], end: { exitCode: 125, stderr } }];
  machine.write('/etc/offline-update/config.toml', 'rehearse = "require"\n');
  const required = await machine.cli('trigger', '--json');
  t.equal(required.exitCode, 5);
  t.match(told(required).error, {
    code: 'REHEARSAL_UNAVAILABLE',
    message: 'the update cannot be rehearsed here: mount: overlay: too deep',
  });
  t.equal((await machine.cli('trigger', '--no-rehearse')).exitCode, 5);
  machine.write('/etc/offline-update/config.toml', '');
  const armed = await machine.cli('trigger', '--json');
  t.equal(armed.exitCode, 0);
  t.match(told(armed), { rehearsal: null, findings: [{ check: 'rehearsal', severity: 'warn' }] });
});

void t.test('--no-rehearse and rehearse = false go without', async (t) => {
  const machine = await prepared(t);
  t.equal(told(await machine.cli('trigger', '--no-rehearse', '--json')).rehearsal, null);
  await machine.cli('cancel');
  machine.write('/etc/offline-update/config.toml', 'rehearse = false\n');
  t.equal(told(await machine.cli('trigger', '--json')).rehearsal, null);
  t.equal(machine.rehearsal.calls.length, 0);
});

void t.test('one that was cut short or ended by what it installed has failed', async (t) => {
  const machine = await prepared(t);
  machine.rehearsal.scenes = [
    { lines: [{ ready: true }], end: { exitCode: undefined, ended: 'it was ended after 5 s' } },
    { lines: [{ ready: true }], end: { exitCode: 137 } },
  ];
  t.match((await machine.cli('trigger')).stderr, /the rehearsal failed: it was ended after 5 s/);
  t.match((await machine.cli('trigger')).stderr, /the program that installs ended by itself/);
});

void t.test(
  'a plan that is too large for memory is rehearsed on disk, and leaves nothing there',
  async (t) => {
    const machine = await prepared(t);
    machine.rehearsal.memoryBytes = 2 ** 28;
    const left = join(machine.paths.rehearsalFolder, 'layers');
    mkdirSync(left, { recursive: true });
    writeFileSync(join(left, 'of-a-killed-one'), '');
    const { rehearsal } = told(await machine.cli('trigger', '--json'));
    t.equal(rehearsal?.storage, 'disk');
    t.equal(machine.rehearsal.calls[0]?.options.folder, machine.paths.rehearsalFolder);
    t.notOk(existsSync(machine.paths.rehearsalFolder), 'what a killed one left is swept as well');
    machine.rehearsal.diskBytes = 2 ** 28;
    await machine.cli('cancel');
    await machine.cli('prepare');
    t.match((await machine.cli('trigger')).stderr, /neither memory nor disk has \d+ MiB for it/);
  },
);

void t.test('one that fails because its memory was full is repeated on disk', async (t) => {
  const machine = await prepared(t);
  const full = { code: 'INSTALL_FAILED', message: 'No space left on device' };
  machine.rehearsal.scenes = [performed({ reason: full, isFull: true }), performed()];
  machine.rehearsal.diskBytes = 2 ** 34;
  t.equal(told(await machine.cli('trigger', '--json')).rehearsal?.storage, 'disk');
  t.equal(machine.rehearsal.calls.length, 2);
});

void t.test(
  'what it writes is held against what is there: growth, room, units, services, boot',
  async (t) => {
    const machine = await prepared(t);
    machine.write('/boot/initrd.img', 'x'.repeat(10_000));
    machine.write('/usr/lib/systemd/system/alpha.service', '[Unit]\n');
    machine.rehearsal.services = ['alpha.service'];
    const at = (path: string): string => machine.path(path);
    // the paths of the copy are those of the system; here its root is a folder
    const files = [
      { path: at('/usr/lib/systemd/system/alpha.service'), bytes: 4096, removed: false },
      { path: at('/usr/share/alpha'), bytes: 8192, removed: false },
      { path: at('/boot/initrd.img'), bytes: 0, removed: true },
    ];
    machine.rehearsal.scenes = [performed({ written: [{ path: '/', how: 'overlay', files }] })];
    const { rehearsal } = told(await machine.cli('trigger', '--json'));
    t.match(rehearsal, {
      fileSystems: [
        { path: '/', writtenBytes: 12_288, growthBytes: -4096, changedFiles: 2, removedFiles: 1 },
      ],
      units: ['alpha.service'],
      services: ['alpha.service'],
    });
    await machine.cli('cancel');
    await machine.cli('prepare');
    machine.rehearsal.diskBytes = 2 ** 20;
    const large = [{ path: at('/usr/share/large'), bytes: 2 ** 21, removed: false }];
    machine.rehearsal.scenes = [performed({ written: [{ path: '/', how: 'overlay', files: large }] })];
    const refused = await machine.cli('trigger');
    t.equal(refused.exitCode, 5);
    t.match(refused.stderr, /the rehearsal failed: \/ has 1\.0 MiB free, the update needs 2\.0 MiB/);
  },
);
