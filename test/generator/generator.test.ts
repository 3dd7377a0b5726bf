import { buildSync } from 'esbuild';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  lstatSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readBootFacts, type BootFacts } from '../../src/generator/boot-facts.js';
import { planGeneration } from '../../src/generator/generation.js';
import { writeGeneration } from '../../src/generator/write-generation.js';
import { generatorStub, putScripts, scriptIn } from '../fixtures/rooted-scripts.js';

const boot: BootFacts = {
  inInitrd: false,
  trigger: '/system-update',
  claimed: undefined,
  foreign: false,
  override: undefined,
  running: false,
};

/** Every path below a folder, with its link target or text. */
function tree(folder: string, below = ''): Record<string, string> {
  return Object.assign(
    {},
    ...readdirSync(join(folder, below)).map((name) => {
      const path = below === '' ? name : `${below}/${name}`;
      const entry = lstatSync(join(folder, path));
      if (entry.isDirectory()) return tree(folder, path);
      return {
        [path]: entry.isSymbolicLink()
          ? readlinkSync(join(folder, path))
          : readFileSync(join(folder, path), 'utf8'),
      };
    }),
  ) as Record<string, string>;
}

const everything = {
  'default.target': '/usr/lib/systemd/system/system-update.target',
  'ctrl-alt-del.target': '/dev/null',
  'emergency.target.d/50-offline-update.conf': `# Made by offline-update-generator.
# Nobody sits at the emergency shell of an update boot: the rescue unit leaves it.
[Unit]
SourcePath=/system-update
Wants=offline-update-rescue.service
`,
  'system-update.target.d/50-offline-update.conf': `# Made by offline-update-generator.
[Unit]
SourcePath=/system-update
JobTimeoutSec=24h
JobTimeoutAction=reboot-force
`,
};

void t.test('a boot with our trigger gets the redirect and the guards', (t) => {
  const early = t.testdir({});
  const messages: string[] = [];
  t.ok(writeGeneration(early, planGeneration(boot), (message) => messages.push(message)));
  t.strictSame(tree(early), everything);
  t.strictSame(messages, []);
  t.end();
});

void t.test('invariant 14: a daemon-reload in the midst of the update makes the very same again', (t) => {
  const claimed = { ...boot, trigger: undefined, claimed: '/system-update.claimed' };
  t.strictSame(planGeneration({ ...claimed, running: true }).entries, planGeneration(boot).entries);
  t.ok(planGeneration({ ...claimed, running: true }).redirect);
  t.ok(planGeneration(claimed).redirect, 'and so does the boot after a power cut');
  t.end();
});

void t.test('nothing is made where nothing is to be done', (t) => {
  const nothing = { redirect: false, entries: [], messages: [] };
  t.strictSame(planGeneration({ ...boot, trigger: undefined }), nothing, 'no link');
  t.strictSame(planGeneration({ ...boot, inInitrd: true }), nothing, 'in the initrd');
  t.end();
});

void t.test(
  'a reload in a running, armed system, and a boot that another tool shares, get no guards',
  (t) => {
    t.match(planGeneration({ ...boot, running: true }), { redirect: true, entries: [] });
    t.match(planGeneration({ ...boot, claimed: '/system-update.claimed', foreign: true }), {
      redirect: true,
      entries: [],
    });
    t.end();
  },
);

void t.test('a kernel command line that names another target is told and left in charge', (t) => {
  t.strictSame(planGeneration({ ...boot, override: 'systemd.unit=multi-user.target' }), {
    redirect: false,
    entries: [],
    messages: ['the offline update waits: the kernel command line says systemd.unit=multi-user.target'],
  });
  t.end();
});

void t.test("systemd's own generator, or a relabelling one, may have been first", (t) => {
  const messages: string[] = [];
  const log = (message: string) => messages.push(message);
  const same = t.testdir({ default: {}, other: {} });
  symlinkSync('/lib/systemd/system/system-update.target', join(same, 'default', 'default.target'));
  t.ok(writeGeneration(join(same, 'default'), planGeneration(boot), log));
  t.strictSame(messages, []);
  symlinkSync('/usr/lib/systemd/system/selinux-autorelabel.target', join(same, 'other', 'default.target'));
  t.ok(writeGeneration(join(same, 'other'), planGeneration(boot), log));
  t.strictSame(readdirSync(join(same, 'other')), ['default.target'], 'and that boot is not guarded');
  t.strictSame(messages, [
    'default.target leads to /usr/lib/systemd/system/selinux-autorelabel.target already, left alone',
  ]);
  t.notOk(writeGeneration(join(same, 'missing'), planGeneration(boot), log), 'no folder, no redirect');
  t.end();
});

function machine(t: Test, processes: Record<string, string>, commandLine: string): string {
  const root = t.testdir({ etc: {}, run: {}, proc: { cmdline: `${commandLine}\n` } });
  for (const [pid, name] of Object.entries(processes)) {
    mkdirSync(join(root, 'proc', pid));
    writeFileSync(join(root, 'proc', pid, 'comm'), `${name}\n`);
  }
  return root;
}

void t.test('the facts of a boot are read from links, command line and processes', (t) => {
  const root = machine(t, { 1: 'systemd', 20: 'kworker/0:1' }, 'root=/dev/vda rd.systemd.unit=x quiet');
  t.strictSame(readBootFacts({}, root), { ...boot, trigger: undefined });
  symlinkSync('/elsewhere', join(root, 'system-update'));
  symlinkSync('/var/lib/system-update', join(root, 'etc/system-update'));
  symlinkSync('../var/lib/system-update', join(root, 'etc/system-update.claimed'));
  t.strictSame(readBootFacts({}, root), {
    ...boot,
    foreign: true,
    trigger: join(root, 'etc/system-update'),
    claimed: join(root, 'etc/system-update.claimed'),
  });
  t.equal(readBootFacts({ SYSTEMD_PROC_CMDLINE: 'quiet 3' }, root).override, '3');
  t.equal(readBootFacts({ SYSTEMD_PROC_CMDLINE: 'systemd.unit= quiet' }, root).override, undefined);
  t.ok(readBootFacts({ SYSTEMD_IN_INITRD: '1' }, root).inInitrd);
  t.end();
});

void t.test('a number within quotes is no runlevel', (t) => {
  const root = machine(t, { 1: 'systemd' }, 'dm-mod.create="root,,0,ro,0 8192 verity 1 /dev/sda2" quiet');
  t.equal(readBootFacts({}, root).override, undefined);
  t.end();
});

const containerMarks = ['run/host/container-manager', 'run/systemd/container'];

/** Tells the machine that it is a container, and with which arguments its PID 1 was started. */
function contain(root: string, mark: string, ...words: string[]): void {
  mkdirSync(join(root, mark, '..'), { recursive: true });
  writeFileSync(join(root, mark), '');
  mkdirSync(join(root, 'proc/1'), { recursive: true });
  writeFileSync(join(root, 'proc/1/cmdline'), ['/sbin/init', ...words, ''].join('\0'));
}

for (const mark of containerMarks) {
  void t.test(`in a container the host's command line says nothing: ${mark}`, (t) => {
    const root = machine(t, {}, 'root=/dev/vda2 single');
    contain(root, mark);
    t.equal(readBootFacts({}, root).override, undefined);
    contain(root, mark, 'quiet', 'emergency');
    t.equal(readBootFacts({}, root).override, 'emergency');
    t.end();
  });
}

void t.test('a system with a journal is a running one', (t) => {
  const root = machine(t, { 1: 'systemd', 25: 'systemd-journal' }, '');
  symlinkSync(root, join(root, 'proc/25/root'));
  t.ok(readBootFacts({}, root).running);
  t.end();
});

void t.test(
  'the journal of the initrd, which has not quite ended, does not make a boot a running system',
  (t) => {
    const root = machine(t, { 1: 'systemd', 25: 'systemd-journal', 26: 'systemd-journal' }, '');
    symlinkSync(join(root, 'etc'), join(root, 'proc/25/root')); // in the root that was left; 26 is a zombie and has none
    t.notOk(readBootFacts({}, root).running);
    t.end();
  },
);

void t.test('the bundle takes one or three folders, and fails loudly with two', (t) => {
  const folder = t.testdir({ normal: {}, early: {}, late: {} });
  const bundle = join(folder, 'generator.cjs');
  buildSync({
    entryPoints: ['src/generator/main.ts'],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    outfile: bundle,
  });
  const at = (...names: string[]) => names.map((name) => join(folder, name));
  execFileSync(process.execPath, [bundle, ...at('normal')]);
  execFileSync(process.execPath, [bundle, ...at('normal', 'early', 'late')]);
  t.equal(spawnSync(process.execPath, [bundle, ...at('normal', 'early')]).status, 1);
  t.end();
});

/** The stub on a machine that is a folder, where Node does not start: what it makes, and what it says. */
function runStub(
  t: Test,
  {
    links,
    commandLine = 'root=/dev/vda2 quiet',
    folders = 3,
    processes = {},
    env = {},
    early = {},
    container,
    masked = [],
    normal,
    containerMark = 'run/systemd/container',
  }: StubBoot,
): { made: Record<string, string>; said: string } {
  const root = machine(t, processes, commandLine);
  for (const folder of ['dev', 'early']) mkdirSync(join(root, folder));
  for (const [at, to] of Object.entries(links)) symlinkSync(to, join(root, at));
  for (const [at, to] of Object.entries(early)) symlinkSync(to, join(root, 'early', at));
  if (container) contain(root, containerMark, ...container);
  putScripts(root);
  const units = join(root, 'etc/systemd/system');
  mkdirSync(units, { recursive: true });
  for (const unit of masked) symlinkSync('/dev/null', join(units, unit));
  if (normal !== undefined) {
    writeFileSync(join(root, 'usr/lib/systemd/system', normal), '[Unit]\n');
    symlinkSync(`../../../usr/lib/systemd/system/${normal}`, join(units, 'default.target'));
  }
  const args = folders === 3 ? ['x', join(root, 'early'), 'x'] : [join(root, 'early')];
  const stub = spawnSync('sh', [scriptIn(root, generatorStub), ...args], {
    env: { PATH: '/usr/bin:/bin', LAB_ROOT: root, ...env },
  });
  t.equal(stub.status, 0);
  const made = Object.entries(tree(join(root, 'early'))).map(([path, text]) => [
    path,
    text.replace(root, ''),
  ]);
  return {
    made: Object.fromEntries(made) as Record<string, string>,
    said: readFileSync(join(root, 'dev/kmsg'), 'utf8').replaceAll(root, ''),
  };
}

interface StubBoot {
  links: Record<string, string>;
  commandLine?: string;
  folders?: 1 | 3;
  processes?: Record<string, string>;
  env?: Record<string, string>;
  early?: Record<string, string>;
  /** Arguments of its PID 1. */
  container?: string[];
  /** Units. */
  masked?: string[];
  /** The target that default.target leads to. */
  normal?: string;
  /** What tells that it is one. */
  containerMark?: string;
}

const ours = '/var/lib/system-update';
const withoutNode = '<4>offline-update: offline-update-generator: Node failed, making the plain redirect\n';

void t.test('what a plain update boot needs is the very same without Node', (t) => {
  const journal = { 1: 'systemd', 25: 'systemd-journal' };
  const plain: Record<string, StubBoot> = {
    '/system-update': { links: { 'system-update': ours } },
    '/etc/system-update': { links: { 'etc/system-update': '../var/lib/system-update' } },
    '/system-update.claimed': { links: { 'system-update.claimed': ours }, processes: journal },
    '/etc/system-update.claimed': { links: { 'etc/system-update.claimed': ours }, processes: journal },
  };
  for (const [link, boot] of Object.entries(plain)) {
    const { made, said } = runStub(t, boot);
    t.strictSame(made, everything, link);
    const words = `${link} leads this boot into system-update.target`;
    t.equal(said, `<5>offline-update: offline-update-generator: ${words}\n`);
  }
  for (const containerMark of containerMarks) {
    const inContainer = runStub(t, {
      links: { 'system-update.claimed': ours },
      commandLine: 'single "of the host"',
      container: [],
      containerMark,
    });
    t.strictSame(inContainer.made, everything, `the command line of its host says nothing: ${containerMark}`);
  }
  const first = { 'default.target': '/lib/systemd/system/system-update.target' };
  const { made } = runStub(t, { links: { 'system-update': ours }, early: first });
  t.strictSame(made, { ...everything, ...first }, "systemd's own generator was first");
  t.end();
});

void t.test('Node is asked where a boot is not plain', (t) => {
  const links = { 'system-update': ours };
  const odd: Record<string, StubBoot> = {
    'a second link': { links: { ...links, 'system-update.claimed': ours } },
    "another tool's link": { links: { ...links, 'etc/system-update': '/elsewhere' } },
    'a quote': { links, commandLine: 'dm-mod.create="root,,0,ro,0 8192" quiet' },
    'another target': { links, commandLine: 'quiet systemd.unit=rescue.target' },
    'another target of a container': { links, container: ['quiet', 'emergency'] },
    'another command line': { links, env: { SYSTEMD_PROC_CMDLINE: 'quiet' } },
    'a running system': { links, processes: { 1: 'systemd', 25: 'systemd-journal' } },
    'one folder': { links, folders: 1 },
    'a target of another generator': { links, early: { 'default.target': '/usr/lib/relabel.target' } },
  };
  for (const [what, boot] of Object.entries(odd)) t.equal(runStub(t, boot).said, withoutNode, what);
  t.end();
});

/** Of a boot that is not plain. */
function madeWithoutNode(t: Test, commandLine: string): Record<string, string> {
  const links = { 'system-update.claimed': ours };
  const { made, said } = runStub(t, { links, commandLine: `${commandLine} "a word"` });
  t.equal(said, withoutNode);
  return made;
}

void t.test('without Node the plain redirect is made, and the rescue of an emergency', (t) => {
  t.strictSame(madeWithoutNode(t, 'root=/dev/vda2 quiet rd.systemd.unit=x systemd.unit='), {
    'default.target': everything['default.target'],
    'emergency.target.d/50-offline-update.conf': '[Unit]\nWants=offline-update-rescue.service\n',
  });
  t.end();
});

void t.test('a shell that is asked for on the kernel command line is left alone, without Node too', (t) => {
  for (const word of ['emergency', 'single', '1', 'systemd.unit=emergency.target']) {
    t.strictSame(madeWithoutNode(t, `root=/dev/vda2 ${word} quiet`), {}, word);
  }
  t.end();
});

void t.test('a masked system-update.target leads to the login that there is without an update', (t) => {
  const masked = ['system-update.target'];
  const says = (link: string) =>
    `<4>offline-update: offline-update-generator: ${link} waits: system-update.target is masked\n`;
  const multiUser = '/usr/lib/systemd/system/multi-user.target';
  const graphical = '/usr/lib/systemd/system/graphical.target';
  const trigger = { 'system-update': ours };
  const early = { 'default.target': everything['default.target'] };
  const boots: [StubBoot, string][] = [
    [{ links: trigger, masked }, multiUser],
    [{ links: trigger, masked, early, normal: 'graphical.target' }, graphical], // systemd's own generator was first
    [{ links: trigger, commandLine: 'quiet systemd.mask=system-update.target' }, multiUser],
    [{ links: trigger, masked, normal: 'default.target' }, multiUser],
    [
      { links: trigger, masked, early: { 'default.target': '/usr/lib/relabel.target' } },
      '/usr/lib/relabel.target',
    ],
  ];
  for (const [boot, target] of boots) {
    t.strictSame(runStub(t, boot), { made: { 'default.target': target }, said: says('/system-update') });
  }
  const claimed = { 'etc/system-update.claimed': ours };
  t.strictSame(
    runStub(t, { links: claimed, masked }),
    { made: {}, said: says('/etc/system-update.claimed') },
    "nobody leads elsewhere, and default.target may be a file of the administrator's own",
  );
  const links = { ...claimed, 'system-update': '/elsewhere' };
  t.strictSame(runStub(t, { links, masked }).made, { 'default.target': multiUser }, "another tool's trigger");
  t.end();
});

void t.test('with nobody who would go on with an attempt, or lead out, the boot is an ordinary one', (t) => {
  const masked = ['offline-update.service', 'offline-update-guard.service'];
  const claimed = { 'system-update.claimed': ours };
  const said = `/system-update.claimed waits: ${masked.join(' and ')} are masked`;
  t.strictSame(runStub(t, { links: claimed, masked }), {
    made: {},
    said: `<4>offline-update: offline-update-generator: ${said}\n`,
  });
  for (const one of masked) t.strictSame(runStub(t, { links: claimed, masked: [one] }).made, everything, one);
  const trigger = { 'system-update': ours };
  t.strictSame(runStub(t, { links: trigger, masked }).made, everything, "systemd's clean-up leads out");
  t.end();
});
