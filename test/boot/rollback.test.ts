/** Back to a kept root by hand, and forward again; the rehearsal of the way back; a cut in the midst of either. */
import t, { type Test } from 'tap';
import { ownPaths } from '../fixtures/own-paths.js';
import { treeDifference, type BtrfsMachine, type Tree } from '../laboratory/laboratory.js';
import { armedBtrfsMachine, type MachineOptions } from './btrfs-machines.js';
import { isBackToNormal, reportOf, statusOf, versionsOf } from './installed.js';

const packages = ['lab-good', 'lab-library'];
const scenario = { packages, prepare: ['lab-good'] };
const versions = (good: string, library: string): Record<string, string> => ({
  'lab-good': good,
  'lab-library': library,
});

/** All but what is ours and what a test puts in the way. */
function treeOf(machine: BtrfsMachine): Promise<Tree> {
  const own = [...ownPaths, '/var/lib/system-update', '/usr/local/bin'];
  return machine.tree({ exclude: own });
}

interface History {
  updates: { id: string; state: string; rolledBackBy: string | null }[];
  fallbacks: { id: string; before: string; goesBack: string[]; comesBack: string[]; sizeBytes: number }[];
}

async function told<T>(machine: BtrfsMachine, words: string): Promise<T> {
  const { stdout } = await machine.exec(`offline-update ${words} --json`, { check: false });
  return JSON.parse(stdout) as T;
}

/** Reboots into what boots next. */
async function again(t: Test, machine: BtrfsMachine): Promise<void> {
  await machine.stop();
  await isBackToNormal(t, machine, [await machine.start()]);
}

/** Two updates, each confirmed; the machine is up. The trees are those of a machine that is off. */
async function twiceUpdated(
  t: Test,
  options: MachineOptions,
): Promise<{ machine: BtrfsMachine; ids: [first: string, second: string]; trees: [Tree, Tree, Tree] }> {
  const machine = await armedBtrfsMachine(t, scenario, options);
  const before = await treeOf(machine);
  await isBackToNormal(t, machine, await machine.bootUntilSettled());
  const first = (await statusOf(machine)).id ?? '';
  await machine.exec('offline-update prepare --no-refresh && offline-update trigger');
  await machine.stop();
  const between = await treeOf(machine);
  await isBackToNormal(t, machine, await machine.bootUntilSettled());
  const second = (await statusOf(machine)).id ?? '';
  return { machine, ids: [first, second], trees: [before, between, await treeOf(machine)] };
}

for (const boots of ['name', 'default'] as const) {
  void t.test(`root by ${boots}: back one update, back two, and forward again`, async (t) => {
    const { machine, ids, trees } = await twiceUpdated(t, { boots });
    const [first, second] = ids;
    t.match(await told<History>(machine, 'history'), {
      fallbacks: [
        { id: second, before: 'update', goesBack: [second], comesBack: [], sizeBytes: Number },
        { id: first, before: 'update', goesBack: [second, first], comesBack: [] },
      ],
    });

    const one = await told<{ rollback: string }>(machine, 'rollback --yes');
    t.match(one, { to: { id: second, goesBack: [second] }, keepsPresent: true, rebootAskedBy: null });
    t.match(await statusOf(machine), { otherRootNext: true, next: 'systemctl reboot' });
    t.match(await told(machine, 'rollback --yes'), { error: { code: 'BUSY', hint: 'systemctl reboot' } });
    await again(t, machine);
    t.strictSame(await versionsOf(machine, packages), versions('2.0', '1.0'));
    t.strictSame(treeDifference(trees[1], await treeOf(machine)), [], 'every file is as it was between them');
    t.match(await told<History>(machine, 'history'), {
      updates: [
        { id: second, state: 'confirmed', rolledBackBy: one.rollback },
        { id: first, state: 'confirmed', rolledBackBy: null },
      ],
      fallbacks: [
        { id: one.rollback, before: 'rollback', goesBack: [], comesBack: [second] },
        { id: first, before: 'update', goesBack: [first], comesBack: [] },
      ],
    });
    t.match(await statusOf(machine), { otherRootNext: false, lastVerdict: { rolledBackBy: one.rollback } });

    const two = await told<{ rollback: string }>(machine, `rollback ${first} --yes`);
    await machine.exec("echo 'keepFallbacks = 1' >/etc/offline-update/config.d/90-one.toml");
    await machine.exec('offline-update clean');
    t.ok((await machine.subvolumes()).includes('@'), 'the root that boots next is not cleaned away');
    await again(t, machine);
    t.strictSame(await versionsOf(machine, packages), versions('1.0', '1.0'));
    t.strictSame(treeDifference(trees[0], await treeOf(machine)), [], 'every file is as it was before both');
    t.match(await told<History>(machine, 'history'), {
      updates: [{ rolledBackBy: one.rollback }, { rolledBackBy: two.rollback }],
    });

    await machine.exec(`offline-update rollback ${one.rollback} --yes --now`);
    t.equal((await machine.waitForEnd()).ended, 'reboot');
    await isBackToNormal(t, machine, [await machine.start()]);
    t.strictSame(await versionsOf(machine, packages), versions('2.0', '2.0'));
    t.strictSame(treeDifference(trees[2], await treeOf(machine)), [], 'every file is as it was after both');
    t.match(await told<History>(machine, 'history'), {
      updates: [{ rolledBackBy: null }, { rolledBackBy: null }],
    });
    const { timeline } = await reportOf(machine, second);
    t.match(
      (timeline as { text: string }[]).map(({ text }) => text).slice(-2),
      [/^rolled back/, /^rolled forward/],
      'the report tells all of it',
    );

    const { fallbacks } = await told<History>(machine, 'history');
    t.equal(fallbacks.length, 2);
    await machine.exec("echo 'keepFallbacks = 1' >/etc/offline-update/config.d/90-one.toml");
    await machine.exec('offline-update clean');
    const kept = (await told<History>(machine, 'history')).fallbacks;
    t.strictSame(
      kept.map(({ id }) => id),
      fallbacks.slice(0, 1).map(({ id }) => id),
      'clean keeps as many as the policy says, the newest',
    );
    t.equal((await machine.subvolumes()).length, 2, 'and nothing else is left');
  });
}

void t.test('nothing is asked where nobody sits, and what stands in the way is told', async (t) => {
  const machine = await armedBtrfsMachine(t, scenario);
  await machine.start({ words: ['systemd.unit=multi-user.target'] });
  const busy = await machine.exec('offline-update rollback --yes', { check: false });
  t.equal(busy.exitCode, 6);
  t.match(busy.stderr, /is armed[^]*next: offline-update cancel/);
  t.equal((await machine.exec('offline-update doctor --drill', { check: false })).exitCode, 6);
  await machine.exec('offline-update cancel');
  const none = await machine.exec('offline-update rollback --yes', { check: false });
  t.equal(none.exitCode, 4);
  t.match(none.stderr, /no fallback is kept: the next update leaves one/);
});

/** `mv` stops for good right before or right after it has exchanged the names; then the power goes. */
async function cutAtExchange(machine: BtrfsMachine, words: string, when: 'before' | 'after'): Promise<void> {
  const halt = 'echo reached >>/srv/exchange; exec sleep infinity';
  const steps = when === 'before' ? halt : `/usr/bin/mv "$@"; ${halt}`;
  await machine.exec(
    `printf '#!/bin/sh\\n%s\\n' '${steps}' >/usr/local/bin/mv && chmod 755 /usr/local/bin/mv`,
  );
  void machine.exec(`touch /srv/exchange; offline-update ${words}`, { check: false }).catch(() => undefined);
  await machine.container.waitForLine('/srv/exchange', (line) => line === 'reached');
  await machine.kill();
  for (const root of await machine.subvolumes()) await machine.removeIn(root, 'usr/local/bin/mv');
}

async function updatedOnce(t: Test): Promise<{ machine: BtrfsMachine; id: string }> {
  const machine = await armedBtrfsMachine(t, scenario);
  await isBackToNormal(t, machine, await machine.bootUntilSettled());
  return { machine, id: (await statusOf(machine)).id ?? '' };
}

void t.test(
  'a cut right before the step of a rollback: nothing has happened, and it can be done',
  async (t) => {
    const { machine, id } = await updatedOnce(t);
    await cutAtExchange(machine, 'rollback --yes', 'before');
    await isBackToNormal(t, machine, [await machine.start()]);
    t.strictSame(await versionsOf(machine, packages), versions('2.0', '1.0'));
    t.notOk(machine.exists('/var/lib/offline-update/fallback.json'));
    t.match(await statusOf(machine), { state: 'confirmed', otherRootNext: false, fallbacks: [{ id }] });
    await machine.exec('offline-update rollback --yes');
    await again(t, machine);
    t.strictSame(await versionsOf(machine, packages), versions('1.0', '1.0'));
  },
);

void t.test('a cut right after the step of a rollback, and another while it is written down', async (t) => {
  const { machine, id } = await updatedOnce(t);
  await cutAtExchange(machine, 'rollback --yes', 'after');
  const journal = '/var/lib/offline-update/updates/*/journal.jsonl';
  const cut = await machine.boot({ killWhen: { file: journal, match: /rolled-back/ } });
  t.equal(cut.ended, 'killed');
  await isBackToNormal(t, machine, [await machine.start()]);
  t.strictSame(await versionsOf(machine, packages), versions('1.0', '1.0'));
  const { timeline } = await reportOf(machine, id);
  const texts = (timeline as { text: string }[]).map(({ text }) => text);
  t.equal(texts.filter((text) => text.startsWith('rolled back')).length, 1, 'told once');
  t.match(await statusOf(machine), { state: 'none', lastVerdict: { verdict: 'confirmed' } });
});

interface Drill {
  blocked: boolean;
  findings: { check: string; severity: string; evidence: string }[];
  drill: { step: string; seconds: number }[];
}

for (const boots of ['name', 'default'] as const) {
  void t.test(`root by ${boots}: the way back is rehearsed, and nothing of it stays`, async (t) => {
    const machine = await armedBtrfsMachine(t, scenario, { boots });
    await machine.start({ words: ['systemd.unit=multi-user.target'] });
    await machine.exec('offline-update cancel');
    const { drill, findings } = await told<Drill>(machine, 'doctor --drill');
    t.strictSame(
      drill.map(({ step }) => step),
      ['arm', 'prove', 'commit', 'remove'],
    );
    t.match(
      findings.filter(({ check }) => check.startsWith('drill-')),
      [
        { check: 'drill-root', severity: 'info', evidence: /^the root that boots next is the snapshot/ },
        { check: 'drill-words', severity: 'info' },
        { check: 'drill-kernel', severity: 'warn', evidence: /no configuration of a boot loader/ },
      ],
    );
    t.strictSame(await machine.subvolumes(), ['@']);
    t.match(await statusOf(machine), { otherRootNext: false, fallbacks: [] });
    await again(t, machine);
    t.equal((await statusOf(machine)).state, 'prepared');
  });
}

void t.test('the drill sees a fallback that would not boot', async (t) => {
  const machine = await armedBtrfsMachine(t, scenario);
  await machine.write(
    '/boot/grub/grub.cfg',
    'menuentry x {\n linux /@/boot/vmlinuz-6.12 root=x rootflags=subvol=@old\n initrd /@/boot/initrd.img-6.12\n}\n',
  );
  await machine.write('/boot/vmlinuz-6.12', '');
  await machine.start({ words: ['systemd.unit=multi-user.target'] });
  await machine.exec('offline-update cancel');
  const { findings } = await told<Drill>(machine, 'doctor --drill');
  t.strictSame(
    findings
      .filter(({ check }) => check.startsWith('drill-'))
      .map(({ evidence }) => evidence)
      .slice(2),
    [
      '/boot/grub/grub.cfg names /@/boot/initrd.img-6.12, which the fallback does not hold',
      '/boot/grub/grub.cfg: the kernel command line says subvol=@old',
      'the fallback has no modules for vmlinuz-6.12',
    ],
  );
  t.strictSame(await machine.subvolumes(), ['@'], 'and is taken away all the same');
});

void t.test(
  'a cut while the drill is armed: no reverted update, and the root that ran can be gone back to',
  async (t) => {
    const { machine } = await updatedOnce(t);
    await cutAtExchange(machine, 'doctor --drill', 'after');
    await isBackToNormal(t, machine, [await machine.start()]);
    const status = await statusOf(machine);
    t.match(status, { state: 'confirmed', otherRootNext: false });
    const { fallbacks } = await told<History>(machine, 'history');
    t.match(fallbacks, [{ before: 'rollback', goesBack: [], comesBack: [] }, { before: 'update' }]);
    const { stdout } = await machine.exec('journalctl -b -t offline-update -o cat');
    t.match(stdout, /drill .* was cut short/);
    await machine.exec('offline-update rollback --yes');
    await again(t, machine);
    t.match(await statusOf(machine), { state: 'confirmed', lastVerdict: { verdict: 'confirmed' } });
  },
);

void t.test('a cut before the drill has armed: the next one sweeps what it left', async (t) => {
  const { machine, id } = await updatedOnce(t);
  await cutAtExchange(machine, 'doctor --drill', 'before');
  await isBackToNormal(t, machine, [await machine.start()]);
  t.equal((await machine.subvolumes()).length, 3);
  t.match(await statusOf(machine), { state: 'confirmed', fallbacks: [{ id }] });
  t.notOk((await told<Drill>(machine, 'doctor --drill')).blocked);
  t.equal((await machine.subvolumes()).length, 2);
});

void t.test(
  'mounted as the default subvolume, the failed root of another name goes with the next success',
  async (t) => {
    const machine = await armedBtrfsMachine(
      t,
      { packages: ['lab-good', 'lab-postinst-fails'] },
      { boots: 'default' },
    );
    await isBackToNormal(t, machine, await machine.bootUntilSettled());
    t.equal((await statusOf(machine)).state, 'reverted');
    t.ok((await machine.subvolumes()).includes('@'), 'kept as evidence');
    await machine.exec('offline-update clean');
    t.notOk((await machine.subvolumes()).includes('@'));
  },
);
