/** How the update service begins: units/begin as it is installed, below a folder. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { planText } from '../../src/update/plan.js';
import { nearlyDonePackages } from '../../src/update-service/install.js';
import { emptyPlan } from '../fixtures/empty-plan.js';
import { packagesPlan, upgradeOf } from '../fixtures/packages-plan.js';
import { putScripts, scriptIn } from '../fixtures/rooted-scripts.js';

interface Begun {
  status: number | null;
  output: string;
  pid: number;
  /** Words and pid of Node.js; undefined when it was not started. */
  node: { words: string; pid: number } | undefined;
  /** What systemctl was asked. */
  asked: string;
  /** A start-up snapshot was looked for. */
  looked: boolean;
  root: string;
}

interface Scene {
  /** Packages that the plan changes. */
  changes?: number;
  /** Where /system-update leads to. */
  trigger?: string;
  /** A file of ours that is not there. */
  missing?: string;
  /** A file of ours that ends in its midst. */
  cutOff?: string;
  /** In the place of units/claim. */
  claim?: string;
  /** In the place of systemctl, beside that it notes its words. */
  systemctl?: string;
}

const ours = '/var/lib/system-update';

/** Waits for that file, and not for ever. */
const until = (path: string): string =>
  `tries=0; until [ -e ${path} ] || [ $((tries += 1)) -gt 500 ]; do sleep 0.01; done`;

async function begin(
  t: Test,
  { trigger = ours, claim, systemctl = '', changes = 1, missing, cutOff }: Scene,
): Promise<Begun> {
  const stage = {
    'plan.json': planText(
      emptyPlan({
        payload: packagesPlan(Array.from({ length: changes }, (_, index) => upgradeOf(`package-${index}`))),
      }),
    ),
  };
  const lib = { 'offline-update': {}, 'system-update': stage };
  const root = t.testdir({ bin: {}, run: {}, usr: { bin: {} }, var: { lib } });
  putScripts(root);
  symlinkSync(trigger, join(root, 'system-update'));
  if (claim !== undefined) writeFileSync(scriptIn(root, 'claim'), `#!/bin/sh\n${claim}\n`);
  if (cutOff !== undefined) {
    const file = join(root, 'usr/lib/offline-update', cutOff);
    writeFileSync(file, readFileSync(file, 'utf8').slice(0, 1000));
  }
  if (missing !== undefined) rmSync(join(root, 'usr/lib/offline-update', missing));
  const shim = (path: string, text: string): void => {
    writeFileSync(join(root, path), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  };
  const waitsForLogind = changes <= nearlyDonePackages ? until(`${root}/asked`) : 'sleep 0.2';
  shim(
    'usr/bin/node',
    `echo "$*" >${root}/node-words; echo "\${NOTIFY_SOCKET-none}" >${root}/node-told; echo $$ >${root}/node-pid\n${waitsForLogind}\n: >${root}/node-ended; echo installed; exit 5`,
  );
  shim('bin/stat', `: >${root}/looked; exec /usr/bin/stat "$@"`);
  shim('bin/systemctl', `echo "$*" >>${root}/asked\n${systemctl.replace('ROOT', root)}`);
  const child = spawn(scriptIn(root, 'begin'), [], {
    env: { PATH: `${root}/bin:/usr/bin:/bin`, LAB_ROOT: root, NOTIFY_SOCKET: '/run/systemd/notify' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const [status] = (await once(child, 'close')) as [number | null];
  const text = (name: string): string =>
    existsSync(join(root, name)) ? readFileSync(join(root, name), 'utf8').trim() : '';
  const words = text('node-words');
  const node = words === '' ? undefined : { words, pid: Number(text('node-pid')) };
  return {
    status,
    output,
    pid: child.pid ?? 0,
    node,
    asked: text('asked'),
    looked: existsSync(join(root, 'looked')),
    root,
  };
}

void t.test('it claims the update, wakes logind and becomes Node.js', async (t) => {
  const { status, output, node, pid, asked, looked, root } = await begin(t, {});
  t.ok(looked, 'for a start-up snapshot');
  t.equal(readlinkSync(join(root, 'system-update.claimed')), ours);
  t.match(node?.words, /update-service\.cjs run$/);
  t.equal(node?.pid, pid, 'what happens to the service happens to it');
  t.equal(status, 5);
  t.equal(
    readFileSync(join(root, 'node-told'), 'utf8'),
    'none\n',
    'no maintainer script speaks to systemd for us',
  );
  t.match(output, /installed\n$/);
  t.equal(asked, '--no-block start systemd-logind.service');
});

void t.test('a systemctl that hangs is not waited for', async (t) => {
  const { status, root } = await begin(t, {
    systemctl: until('ROOT/node-ended'),
  });
  t.equal(status, 5);
  t.ok(existsSync(join(root, 'node-ended')));
});

void t.test(
  'logind is woken for as many packages as the service calls nearly done, and for no more',
  async (t) => {
    t.not((await begin(t, { changes: nearlyDonePackages })).asked, '');
    const { status, asked } = await begin(t, { changes: nearlyDonePackages + 1 });
    t.equal(status, 5);
    t.equal(asked, '');
  },
);

void t.test('an update of another tool: nothing is started, and nothing has failed', async (t) => {
  const { status, output, node, looked, root } = await begin(t, { trigger: '/var/cache/PackageKit' });
  t.equal(status, 0);
  t.notOk(looked, 'not even for a start-up snapshot of ours');
  t.equal(node, undefined);
  t.equal(output, '');
  t.equal(readlinkSync(join(root, 'system-update')), '/var/cache/PackageKit');
});

void t.test('a damaged package of ours does not fail in the update boot of another tool', async (t) => {
  for (const missing of ['links', 'warm-start']) {
    const { status, node } = await begin(t, { trigger: '/var/cache/PackageKit', missing });
    t.equal(status, 0, missing);
    t.equal(node, undefined);
  }
});

void t.test('our update is installed also where nobody knows of a start-up snapshot', async (t) => {
  for (const scene of [{ missing: 'warm-start' }, { cutOff: 'warm-start' }]) {
    const { status, node } = await begin(t, scene);
    t.equal(status, 5);
    t.match(node?.words, /^\S*update-service\.cjs run$/);
  }
});

for (const [what, claim] of [
  ['says so', 'exit 255'],
  ['is killed', 'kill -KILL $$'],
  ['is no script any more', 'exit 127'],
  ['ends in an error of the shell', 'exit 2'],
] as const) {
  void t.test(`a claim that ${what}: the rescue unit takes over`, async (t) => {
    const { status, node } = await begin(t, { claim });
    t.equal(status, 255);
    t.equal(node, undefined);
  });
}

void t.test('what the claim says is told', async (t) => {
  const { status, output } = await begin(t, { claim: 'echo giving up; exit 1' });
  t.equal(status, 0);
  t.match(output, /giving up\n/);
});
