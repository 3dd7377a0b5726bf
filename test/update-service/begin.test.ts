/** How the update service begins: units/begin as it is installed, below a folder. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { putScripts, scriptIn } from '../fixtures/rooted-scripts.js';

interface Begun {
  status: number | null;
  output: string;
  pid: number;
  /** Words and pid of Node.js; undefined when it was not started. */
  node: { words: string; pid: number } | undefined;
  /** What systemctl was asked. */
  asked: string;
  root: string;
}

interface Scene {
  /** Where /system-update leads to. */
  trigger?: string;
  /** In the place of units/claim. */
  claim?: string;
  /** In the place of systemctl, beside that it notes its words. */
  systemctl?: string;
}

const ours = '/var/lib/system-update';

async function begin(t: Test, { trigger = ours, claim, systemctl = '' }: Scene): Promise<Begun> {
  const root = t.testdir({ bin: {}, run: {}, usr: { bin: {} }, var: { lib: { 'offline-update': {} } } });
  putScripts(root);
  symlinkSync(trigger, join(root, 'system-update'));
  if (claim !== undefined) writeFileSync(scriptIn(root, 'claim'), `#!/bin/sh\n${claim}\n`);
  const shim = (path: string, text: string): void => {
    writeFileSync(join(root, path), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  };
  shim('usr/bin/node', `echo "$*" >${root}/node-words; echo $$ >${root}/node-pid; echo installed; exit 5`);
  shim('bin/systemctl', `echo "$*" >>${root}/asked\n${systemctl}`);
  const child = spawn(scriptIn(root, 'begin'), [], {
    env: { PATH: `${root}/bin:/usr/bin:/bin`, LAB_ROOT: root },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const [status] = (await once(child, 'exit')) as [number | null];
  child.stdout.destroy();
  const text = (name: string): string =>
    existsSync(join(root, name)) ? readFileSync(join(root, name), 'utf8').trim() : '';
  const words = text('node-words');
  const node = words === '' ? undefined : { words, pid: Number(text('node-pid')) };
  return { status, output, pid: child.pid ?? 0, node, asked: text('asked'), root };
}

void t.test('it claims the update, wakes logind and becomes Node.js', async (t) => {
  const { status, output, node, pid, asked, root } = await begin(t, {});
  t.equal(readlinkSync(join(root, 'system-update.claimed')), ours);
  t.match(node?.words, /update-service\.cjs run$/);
  t.equal(node?.pid, pid, 'what happens to the service happens to it');
  t.equal(status, 5);
  t.match(output, /installed\n$/);
  t.equal(asked, '--no-block start systemd-logind.service');
});

void t.test('a systemctl that hangs is not waited for', async (t) => {
  const { status } = await begin(t, { systemctl: 'exec sleep 20' });
  t.equal(status, 5);
});

void t.test('an update of another tool: nothing is started, and nothing has failed', async (t) => {
  const { status, output, node, asked, root } = await begin(t, { trigger: '/var/cache/PackageKit' });
  t.equal(status, 0);
  t.equal(node, undefined);
  t.equal(asked, '');
  t.match(output, /nothing to install in this boot/);
  t.ok(existsSync(join(root, 'system-update')) || readlinkSync(join(root, 'system-update')) !== '');
});

for (const [what, claim] of [
  ['says so', 'exit 255'],
  ['is killed', 'kill -KILL $$'],
  ['is no script any more', 'exit 127'],
  ['ends in an error of the shell', 'exit 2'],
] as const) {
  void t.test(`a claim that ${what}: the rescue unit takes over`, async (t) => {
    const { status, node, asked } = await begin(t, { claim });
    t.equal(status, 255);
    t.equal(node, undefined);
    t.equal(asked, '');
  });
}

void t.test('what the claim says is told', async (t) => {
  const { status, output } = await begin(t, { claim: 'echo giving up; exit 1' });
  t.equal(status, 0);
  t.match(output, /giving up\n/);
});
