/** By the machine's own apt-config: what it encodes must come out of the staged `apt.conf` as it was. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { runCommand, type RunCommand } from '../../../../src/host/command.js';
import { preInstallHooks } from '../../../../src/payloads/packages/apt/pre-install-hooks.js';

const LIST = 'DPkg::Pre-Install-Pkgs';
const ofDebconf = '/usr/sbin/dpkg-preconfigure --apt || true';

/** In the place of all that the machine has of its own. */
function aptWith(path: string, text: string): RunCommand {
  writeFileSync(path, `Dir::Etc { Main "/dev/null"; Parts "/dev/null"; };\n${text}`);
  return (file, args, options) =>
    runCommand(file, args, { ...options, env: { ...options?.env, APT_CONFIG: path } });
}

async function hooksIn(path: string): Promise<string[]> {
  const { stdout } = await runCommand('apt-config', [
    ...['-c', path, 'dump', '--no-empty', '--format', '%v%n', LIST],
  ]);
  return stdout.split('\n').filter((line) => line !== '');
}

void t.test('debconf’s hook is left out, all others stay as they were', async (t) => {
  const folder = t.testdir();
  const others = [
    'test -x /usr/bin/hook && hook --apt | tee "/var/log/a b" # // 100% %41',
    "dpkg-preconfigured 'x;y'",
  ];
  const written = others.map((hook) => encodeURIComponent(hook)).map((hook) => `"${hook}";`);
  const run = aptWith(
    join(folder, 'machine.conf'),
    `${LIST} { ${written[0] ?? ''} "${ofDebconf}"; ${written[1] ?? ''} };\n`,
  );
  const staged = join(folder, 'staged.conf');
  writeFileSync(staged, (await preInstallHooks({ runCommand: run })).join('\n'));
  t.strictSame(await hooksIn(staged), others, 'and none of this machine’s own');
});

void t.test('where debconf has no hook, nothing is said of hooks', async (t) => {
  const folder = t.testdir();
  const run = aptWith(join(folder, 'machine.conf'), `${LIST} { "/usr/bin/hook"; };\n`);
  t.strictSame(await preInstallHooks({ runCommand: run }), []);
});

void t.test('where apt’s configuration cannot be read, all are told', async (t) => {
  const run: RunCommand = () =>
    Promise.resolve({ exitCode: 100, signal: undefined, stdout: `${ofDebconf}\n`, stderr: 'E: no' });
  t.strictSame(await preInstallHooks({ runCommand: run }), []);
});
