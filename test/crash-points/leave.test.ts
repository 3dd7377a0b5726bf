/** units/leave below a folder, with a systemctl that notes its words. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { putScripts, scriptIn } from '../fixtures/rooted-scripts.js';

void t.test('without Node a kexec is a reboot, by the boot loader even where a kernel is loaded', (t) => {
  const root = t.testdir({ programs: {}, run: { 'offline-update': { 'update-boot': '' } } });
  const state = join(root, 'var/lib/offline-update');
  mkdirSync(state, { recursive: true });
  putScripts(root);
  const note = 'echo "$* $SYSTEMCTL_SKIP_AUTO_KEXEC" >>"$LAB_ROOT/asked"';
  writeFileSync(join(root, 'programs/systemctl'), `#!/bin/sh\n${note}\n`, { mode: 0o755 });
  const env = { LAB_ROOT: root, PATH: `${join(root, 'programs')}:/usr/bin:/bin` };
  for (const [wish, asked] of [
    ['kexec', '--no-block reboot 1'],
    ['poweroff', '--no-block poweroff 1'],
  ] as const) {
    writeFileSync(join(state, 'action'), `${wish}\n`);
    const { stderr, status } = spawnSync('sh', [scriptIn(root, 'leave')], { env, encoding: 'utf8' });
    t.strictSame([status, stderr], [0, '']);
    t.equal(readFileSync(join(root, 'asked'), 'utf8').trim().split('\n').at(-1), asked);
  }
  t.end();
});
