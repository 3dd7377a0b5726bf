/** The ways back that are seldom gone: a failed proof, cuts on the way, a copy by hand, and little room. */
import t, { type Test } from 'tap';
import { treeDifference, type BootRecord, type Machine, type Tree } from '../laboratory/laboratory.js';
import { armedBtrfsMachine, treeOf } from './btrfs-machines.js';
import { copyMachine, cutHalfBack, isAsBefore, treeOf as treeBesideCopies } from './copy-machines.js';
import { isBackToNormal, reportOf, statusOf, versionsOf } from './installed.js';

const required = '/etc/offline-update/health.d/required.d';
const journal = '/var/lib/offline-update/updates/*/journal.jsonl';
const isNew = 'dpkg-query --show --showformat="\\${Version}" lab-good | grep -q 2.0';
const other = /^@\.offline-update-\d{8}T\d{6}-[0-9a-f]{4}$/;
const ends = (boots: readonly BootRecord[]) => boots.map(({ ended }) => ended);

void t.test(
  'invariant 9: apt says that all went well, and the database says otherwise: reverted in one boot',
  async (t) => {
    const machine = await armedBtrfsMachine(t, { packages: ['lab-good', 'lab-library'] });
    const forge = '/^Package: lab-library$/,/^$/s/^Version: 2.0$/Version: 1.9/';
    await machine.write(
      '/etc/apt/apt.conf.d/99-lab',
      `DPkg::Post-Invoke { "sed -i '${forge}' /var/lib/dpkg/status"; };\n`,
    );
    const before = await treeOf(machine);
    const boots = await machine.bootUntilSettled();
    t.strictSame(ends(boots), ['reboot', 'up']);
    await isBackToNormal(t, machine, boots);
    t.strictSame(treeDifference(before, await treeOf(machine)), [], 'every file is as it was');
    const status = await statusOf(machine);
    t.match(status, { state: 'reverted', reason: { code: 'VERIFY_FAILED', message: /lab-library/ } });
    const { phases } = await reportOf(machine, status.id ?? '');
    t.match(phases, [
      { phase: 'check', outcome: 'done' },
      { phase: 'before', outcome: 'done' },
      { phase: 'snapshot', outcome: 'done' },
      { phase: 'install', outcome: 'done' },
      { phase: 'verify', outcome: 'failed' },
    ]);
  },
);

void t.test(
  'invariant 4: unhealthy, cut right after the switch back, and cut again while the old root writes it down',
  async (t) => {
    const machine = await armedBtrfsMachine(t, { packages: ['lab-good'] });
    await machine.write(`${required}/10-new`, `#!/bin/sh\n! ${isNew}\n`);
    const before = await treeOf(machine);
    t.equal((await machine.boot()).ended, 'reboot');
    const switched = { file: journal, match: /"step":"switched"/ };
    t.equal((await machine.boot({ killWhen: switched })).ended, 'killed');
    const written = { file: journal, match: /"event":"reverted"/ };
    t.equal((await machine.boot({ killWhen: written })).ended, 'killed');
    const boots = await machine.bootUntilSettled();
    t.strictSame(ends(boots), ['up'], 'no further reboot');
    await isBackToNormal(t, machine, boots);
    t.strictSame(treeDifference(before, await treeOf(machine)), [], 'every file is as it was');
    const status = await statusOf(machine);
    const reason = { code: 'HEALTH_FAILED', message: /required\.d\/10-new/ };
    t.match(status, { state: 'reverted', reason });
    const { timeline } = await reportOf(machine, status.id ?? '');
    const verdicts = (timeline as { text: string }[]).filter(({ text }) => text.startsWith('reverted'));
    t.equal(verdicts.length, 1, 'told once');
  },
);

void t.test('a cut while the machine is judged is no failed boot: the next one judges it anew', async (t) => {
  const machine = await armedBtrfsMachine(t, { packages: ['lab-good'] });
  const check = `${required}/10-waits`;
  await machine.write(check, '#!/bin/sh\necho at work >/run/checking\nexec sleep infinity\n');
  t.equal((await machine.boot()).ended, 'reboot');
  t.equal((await machine.boot({ killWhen: { file: '/run/checking', match: /./ } })).ended, 'killed');
  await machine.remove(check);
  const boots = await machine.bootUntilSettled();
  t.strictSame(ends(boots), ['up'], 'in the updated root, at once');
  await isBackToNormal(t, machine, boots);
  t.equal((await statusOf(machine)).state, 'confirmed');
  t.strictSame(await versionsOf(machine, ['lab-good']), { 'lab-good': '2.0' });
  t.match(await machine.subvolumes(), ['@', other], 'the fallback is kept');
});

interface Updated {
  machine: Machine;
  /** Every file before the update. */
  before: Tree;
  id: string | null;
}

const copied = ['lab-conffile', 'lab-library'];

/** Updated and confirmed, with a copy of what was before. */
async function updatedWithCopy(t: Test): Promise<Updated> {
  const machine = await copyMachine(t, { packages: copied });
  const before = await treeBesideCopies(machine);
  await isBackToNormal(t, machine, await machine.bootUntilSettled());
  const { id } = await statusOf(machine);
  return { machine, before, id };
}

/** The next boot puts the copy back, and the one after is the old system. */
async function isRolledBack(t: Test, { machine, before, id }: Updated): Promise<void> {
  const boots = await machine.bootUntilSettled();
  t.strictSame(ends(boots), ['reboot', 'up'], 'put back, then the old system');
  await isBackToNormal(t, machine, boots);
  t.strictSame(await versionsOf(machine, copied), { 'lab-conffile': '1.0', 'lab-library': '1.0' });
  await isAsBefore(t, machine, before);
  const history = JSON.parse((await machine.exec('offline-update history --json')).stdout) as object;
  t.match(history, { updates: [{ id, state: 'confirmed', rolledBackBy: String }], fallbacks: [] });
}

void t.test(
  'rollback to a copy by hand: the next boot puts it back, and the one after is the old',
  async (t) => {
    const updated = await updatedWithCopy(t);
    const { machine, id } = updated;
    const { stdout } = await machine.exec('offline-update rollback --yes --json');
    t.match(JSON.parse(stdout), { to: { id, goesBack: [id] }, keepsPresent: false });
    const status = JSON.parse((await machine.exec('offline-update status --json')).stdout) as object;
    t.match(status, { otherRootNext: true, next: 'systemctl reboot' });
    const doctor = await machine.exec('offline-update doctor', { check: false });
    t.match(doctor, { exitCode: 5, stdout: /the next boot goes back: what is prepared/ });
    await machine.stop();
    await isRolledBack(t, updated);
  },
);

/** Led past the way back, by hand: the system is half of each. */
async function isKeptHalfBack(t: Test, machine: Machine): Promise<void> {
  await machine.start({ words: ['systemd.unit=multi-user.target'] });
  await machine.exec('systemctl is-system-running --wait', { check: false });
  const { stdout } = await machine.exec('offline-update status --json');
  t.match(JSON.parse(stdout), {
    otherRootNext: true,
    contradictions: ['the next boot goes on to put back a copy: until then the system may be half of each'],
    next: 'systemctl reboot',
  });
  for (const verb of ['cancel', 'clean', 'prepare --no-refresh', 'rollback --yes']) {
    const { exitCode, stderr } = await machine.exec(`offline-update ${verb}`, { check: false });
    t.not(exitCode, 0, verb);
    t.match(stderr, /next: systemctl reboot\n$/, verb);
  }
  const removal = await machine.exec('dpkg --remove offline-update', { check: false });
  t.match(removal, {
    exitCode: 1,
    stderr: /the next boot goes on with it and needs this package\n {2}next: systemctl reboot/,
  });
  await machine.stop();
}

void t.test(
  'given up, cut while the copy is put back, and led past it: the next boot goes on with it',
  async (t) => {
    const machine = await copyMachine(t, { packages: ['lab-conffile', 'lab-library', 'lab-postinst-fails'] });
    const before = await treeBesideCopies(machine);
    await cutHalfBack(t, machine);
    await isKeptHalfBack(t, machine);
    const boots = await machine.bootUntilSettled();
    t.strictSame(ends(boots), ['reboot', 'up']);
    await isBackToNormal(t, machine, boots);
    await isAsBefore(t, machine, before);
    t.match(await statusOf(machine), { state: 'reverted', reason: { code: 'INSTALL_FAILED' } });
  },
);

void t.test(
  'a rollback that is cut while the copy is put back, and led past it: the next boot goes on with it',
  async (t) => {
    const updated = await updatedWithCopy(t);
    const { machine } = updated;
    await machine.exec('offline-update rollback --yes');
    await machine.stop();
    await cutHalfBack(t, machine);
    await isKeptHalfBack(t, machine);
    await isRolledBack(t, updated);
  },
);

void t.test(
  'with too little room only the newest fallback stays, and nothing that is not ours goes',
  async (t) => {
    const machine = await armedBtrfsMachine(
      t,
      {
        packages: ['lab-good', 'lab-library'],
        prepare: ['lab-good'],
        config: 'keepFallbacks = 5\nminimumFreePercent = 1\n',
      },
      { megabytes: 2048 },
    );
    await isBackToNormal(t, machine, await machine.bootUntilSettled());
    const [, first = ''] = await machine.subvolumes();
    await machine.makeSubvolumes('@home', '@.offline-update-backup', 'backup.offline-update-2026');
    // Of all that the image holds, more than a tenth is in use: for the next plan that is too little room.
    await machine.exec("echo 'minimumFreePercent = 90' >/etc/offline-update/config.d/90-room.toml");
    await machine.exec('offline-update prepare --no-refresh && offline-update trigger --no-rehearse');
    await machine.stop();
    await isBackToNormal(t, machine, await machine.bootUntilSettled());
    t.equal((await statusOf(machine)).state, 'confirmed');
    const names = await machine.subvolumes();
    t.notOk(names.includes(first), 'the older fallback is gone');
    t.match(
      names,
      ['@', other, '@.offline-update-backup', '@home', 'backup.offline-update-2026'],
      'the newest one and all that is of others stay',
    );
  },
);
