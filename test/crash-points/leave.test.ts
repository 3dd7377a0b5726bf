/** units/leave below a folder, with a systemctl that notes its words, and what it finds in /run. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { putScripts, scriptIn } from '../fixtures/rooted-scripts.js';

const mark = 'run/offline-update/update-boot';

interface Left {
  /** What was asked for, each with `marked` where the boot was still called an update boot then. */
  asked: string[];
  status: number | null;
  /** Afterwards. */
  isMarked: boolean;
}

/** `obeys`: the words of the one request that is granted; else all are. */
function left(
  t: Test,
  { wish, systemd = 257, obeys }: { wish: string; systemd?: number; obeys?: string },
): Left {
  const root = t.testdir({
    programs: {},
    run: { 'offline-update': { 'update-boot': '' } },
    var: { lib: { 'offline-update': { action: `${wish}\n` } } },
  });
  // It would reach the machine that runs the tests.
  const toInit = { script: 'leave', from: 'kill -s "$signal" 1', to: 'signal-init "$signal"' } as const;
  putScripts(root, [toInit]);
  if (systemd >= 254) {
    mkdirSync(join(root, 'usr/lib/systemd/system'), { recursive: true });
    writeFileSync(join(root, 'usr/lib/systemd/system/soft-reboot.target'), '');
  }
  const asks = [
    '[ "$1" != is-system-running ] || exit 0',
    `marked=; if [ -e "$LAB_ROOT/${mark}" ]; then marked=' marked'; fi`,
    'echo "$*$marked $SYSTEMCTL_SKIP_AUTO_KEXEC" >>"$LAB_ROOT/asked"',
    obeys === undefined ? 'exit 0' : `[ "$*" = '${obeys}' ]`,
  ];
  for (const name of ['systemctl', 'signal-init']) {
    writeFileSync(join(root, 'programs', name), `#!/bin/sh\n${asks.join('\n')}\n`, { mode: 0o755 });
  }
  const env = { LAB_ROOT: root, PATH: `${join(root, 'programs')}:/usr/bin:/bin` };
  const { stderr, status } = spawnSync('sh', [scriptIn(root, 'leave')], { env, encoding: 'utf8' });
  t.equal(stderr, '');
  const asked = readFileSync(join(root, 'asked'), 'utf8').trim().split('\n');
  t.ok(asked.every((line) => line.endsWith(' 1')));
  return {
    asked: asked.map((line) => line.slice(0, -2)),
    status,
    isMarked: existsSync(join(root, mark)),
  };
}

void t.test('without Node a kexec is a reboot, by the boot loader even where a kernel is loaded', (t) => {
  t.match(left(t, { wish: 'kexec' }), { asked: [/^--no-block reboot/], status: 0 });
  t.match(left(t, { wish: 'poweroff' }), { asked: [/^--no-block poweroff/], status: 0 });
  t.end();
});

void t.test('a systemd that knows no soft-reboot is not asked for one: it would stand still', (t) => {
  t.match(left(t, { wish: 'soft-reboot' }), { asked: ['--no-block soft-reboot'], status: 0 });
  t.match(left(t, { wish: 'soft-reboot', systemd: 253 }), { asked: [/^--no-block reboot/], status: 0 });
  t.end();
});

void t.test('the boot after a soft-reboot is no update boot, whoever leads there and however soon', (t) => {
  const requests = ['--no-block soft-reboot', '--force soft-reboot', 'RTMIN+7'];
  for (const [at, obeys] of requests.entries()) {
    const asked = requests.slice(0, at + 1);
    t.strictSame(left(t, { wish: 'soft-reboot', obeys }), { asked, status: 0, isMarked: false });
  }
  const asked = [...requests, '--force --force reboot'];
  t.strictSame(
    left(t, { wish: 'soft-reboot', obeys: 'nothing' }),
    { asked, status: 1, isMarked: true },
    'nobody leads out: it is one still',
  );
  t.end();
});
