/** The hook that apt runs after each run of dpkg, as apt itself reads it. */
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';

/** Runs the hook with these variables; whether packages-changed was called, and how it ended. */
function hook(
  t: Test,
  variables: Record<string, string>,
): { status: number | null; called: boolean; said: string } {
  const root = t.testdir({ 'plan.json': '{}' });
  const words = ['-c', 'packaging/apt.conf', 'dump', '--no-empty', '--format', '%v%n', 'DPkg::Post-Invoke'];
  const { stdout } = spawnSync('apt-config', words, { encoding: 'utf8' });
  const ours = stdout.split('\n').find((line) => line.includes('packages-changed')) ?? '';
  t.match(ours, /packages-changed/, 'apt has read it');
  const program = join(root, 'packages-changed');
  writeFileSync(program, `#!/bin/sh\n: >${root}/called\n`, { mode: 0o755 });
  const text = ours
    .replaceAll('/var/lib/system-update/plan.json', join(root, 'plan.json'))
    .replaceAll('/usr/lib/offline-update/packages-changed', program);
  const { status, stderr } = spawnSync('/bin/sh', ['-c', text], {
    env: { PATH: '/usr/bin:/bin', ...variables },
    encoding: 'utf8',
  });
  return { status, called: existsSync(join(root, 'called')), said: stderr };
}

void t.test('a run of a package manager in the running system is looked at', (t) => {
  t.strictSame(hook(t, {}), { status: 0, called: true, said: '' });
  t.end();
});

void t.test('in the update boot nothing is started for it', (t) => {
  t.strictSame(hook(t, { SYSTEMD_OFFLINE: '1' }), { status: 0, called: false, said: '' });
  t.end();
});
