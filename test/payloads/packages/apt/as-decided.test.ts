/** By the machine's own apt-config: what it encodes must come out of the staged `apt.conf` as it was. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { runCommand, type RunCommand } from '../../../../src/host/command.js';
import { fileSystem } from '../../../../src/host/file-system.js';
import { HostError } from '../../../../src/host/host-error.js';
import { decisionInputs } from '../../../../src/payloads/packages/apt/decision-inputs.js';
import { argumentsAsDecided, settingsAsDecided } from '../../../../src/payloads/packages/apt/as-decided.js';
import { packagesPlan } from '../../../fixtures/packages-plan.js';

const LIST = 'DPkg::Pre-Install-Pkgs';
const ofDebconf = '/usr/sbin/dpkg-preconfigure --apt || true';

/** In the place of all that the machine has of its own. */
function aptWith(path: string, text: string): RunCommand {
  writeFileSync(path, `Dir::Etc { Main "/dev/null"; Parts "/dev/null"; };\n${text}`);
  return (file, args, options) =>
    runCommand(file, args, { ...options, env: { ...options?.env, APT_CONFIG: path } });
}

async function valuesIn(path: string, list: string): Promise<string[]> {
  const { stdout } = await runCommand('apt-config', [
    ...['-c', path, 'dump', '--no-empty', '--format', '%v%n', list],
  ]);
  return stdout.split('\n').filter((line) => line !== '');
}

async function staged(folder: string, run: RunCommand): Promise<string[]> {
  const path = join(folder, 'staged.conf');
  writeFileSync(path, (await settingsAsDecided({ runCommand: run })) ?? '');
  return valuesIn(path, LIST);
}

void t.test('debconf’s hook is left out, all others stay as they were', async (t) => {
  const folder = t.testdir();
  const others = [
    'test -x /usr/bin/hook && hook --apt | tee "/var/log/a b" # // 100% %41',
    "dpkg-preconfigured 'x;y'",
    // words of debconf's in the command of another
    'test ! -x /usr/sbin/dpkg-preconfigure || /usr/sbin/audit --apt',
    '/usr/bin/site-hook --after /usr/sbin/dpkg-preconfigure',
    `${ofDebconf}; /usr/bin/audit`,
  ];
  const written = others.map((hook) => `"${encodeURIComponent(hook)}";`);
  written.splice(1, 0, `"${ofDebconf}";`);
  // apt runs neither of these two
  const odd = `${LIST} "on the list itself";\n${LIST}::deeper::still "in the tree";\n`;
  const run = aptWith(join(folder, 'machine.conf'), `${LIST} { ${written.join(' ')} };\n${odd}`);
  t.strictSame(await staged(folder, run), others, 'and none of this machine’s own');
});

void t.test('where debconf has no hook, nothing is said of hooks', async (t) => {
  const run = aptWith(join(t.testdir(), 'machine.conf'), `${LIST} { "/usr/bin/hook"; };\n`);
  const text = await settingsAsDecided({ runCommand: run });
  t.match(text, 'APT::Architectures {');
  t.notMatch(text, LIST);
});

void t.test('the architectures are those that apt knows, whatever else says so', async (t) => {
  const folder = t.testdir();
  const run = aptWith(join(folder, 'machine.conf'), 'APT::Architectures { "riscv64"; };\n');
  const path = join(folder, 'staged.conf');
  const settings = (await settingsAsDecided({ runCommand: run })) ?? '';
  writeFileSync(path, `APT::Architectures { "s390x"; };\n${settings}`);
  const { stdout: native } = await runCommand('dpkg', ['--print-architecture']);
  t.strictSame(await valuesIn(path, 'APT::Architectures'), [native, 'riscv64'], 'its own is added by apt');
});

void t.test('where apt’s configuration cannot be read, all are told', async (t) => {
  const stdout = 'APT::Architectures:: amd64\n';
  const ended = (exitCode: number) => ({ exitCode, signal: undefined, stdout, stderr: '' });
  t.type(await settingsAsDecided({ runCommand: () => Promise.resolve(ended(0)) }), 'string');
  t.equal(await settingsAsDecided({ runCommand: () => Promise.resolve(ended(100)) }), undefined);
  const absent: RunCommand = () => Promise.reject(new HostError('COMMAND_NOT_FOUND', 'no apt-config'));
  t.equal(await settingsAsDecided({ runCommand: absent }), undefined);
});

void t.test(
  'a hook that came after the plan is told: the list counts only while all is the same',
  async (t) => {
    const root = t.testdir({
      var: { lib: { dpkg: { status: 'Package: a\n' } } },
      etc: { apt: { 'apt.conf.d': {} } },
      stage: { 'as-decided.conf': '' },
    });
    const machine = { files: fileSystem, root };
    const stage = { path: join(root, 'stage') };
    const list = join(stage.path, 'as-decided.conf');
    const decidedBy = await decisionInputs(fileSystem, root);
    const plan = { ...packagesPlan([]), ...(decidedBy !== undefined && { decidedBy }) };
    t.strictSame(await argumentsAsDecided(machine, plan, stage), ['-c', list]);
    t.strictSame(
      await argumentsAsDecided(machine, packagesPlan([]), stage),
      [],
      'a plan that knows nothing of it',
    );
    t.strictSame(await argumentsAsDecided(machine, plan, { path: root }), [], 'nothing was to be said');
    writeFileSync(join(root, 'etc/apt/apt.conf.d/80audit'), `${LIST} { "audit"; };\n`);
    t.strictSame(await argumentsAsDecided(machine, plan, stage), []);
  },
);
