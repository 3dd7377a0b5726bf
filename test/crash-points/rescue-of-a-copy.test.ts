/** units/rescue below a folder, where a copy is to be put back and its script fails. */
import { spawnSync } from 'node:child_process';
import { chmodSync, lstatSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { sha256OfText } from '../../src/host/hash.js';
import { putScripts, scriptIn } from '../fixtures/rooted-scripts.js';

/** What the rescue notes for the next boot, and which links are left. `copied`: files in the folder of the copy. */
function rescue(t: Test, copied: Record<string, string>): { noted: string[]; left: string[] } {
  const restore = 'echo it fails >&2; exit 1\n';
  const plan = '{\n "files": []\n}\n';
  const journal = `{"entry":{"event":"armed","planHash":"${sha256OfText(plan)}"}}\n`;
  const root = t.testdir({
    etc: {},
    run: {},
    bin: { dpkg: '#!/bin/sh\n' },
    var: {
      lib: {
        'system-update': { 'plan.json': plan },
        'offline-update': {
          fallbacks: { this: { restore, ...copied } },
          updates: { this: { 'journal.jsonl': journal } },
        },
      },
    },
  });
  putScripts(root);
  writeFileSync(scriptIn(root, 'leave'), '#!/bin/sh\n');
  chmodSync(join(root, 'bin/dpkg'), 0o755);
  writeFileSync(join(root, 'bin/sync'), '#!/bin/sh\n', { mode: 0o755 });
  symlinkSync('/var/lib/system-update', join(root, 'system-update.claimed'));
  const state = join(root, 'var/lib/offline-update');
  symlinkSync('this', join(state, 'fallbacks/armed'));
  const env = { PATH: `${root}/bin:/usr/bin:/bin`, LAB_ROOT: root };
  spawnSync('sh', [scriptIn(root, 'rescue')], { env });
  const noted = readFileSync(join(state, 'rescued'), 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  const claimed = lstatSync(join(root, 'system-update.claimed'), { throwIfNoEntry: false });
  const left = [...readdirSync(join(state, 'fallbacks')), ...(claimed ? ['claimed'] : [])];
  return { noted: noted.map((line) => line.slice(line.indexOf(' ') + 1)), left };
}

void t.test('a copy of a proven update, of which nothing was put back, leaves the system as it is', (t) => {
  t.strictSame(rescue(t, { committed: 'sum\n' }), { noted: ['copy-not-begun'], left: ['this'] });
  t.end();
});

void t.test('a copy that is put back in part is made up for by dpkg, also when its update is closed', (t) => {
  const told = { noted: ['copy-not-restored', 'rolled-forward'], left: ['this'] };
  t.strictSame(rescue(t, {}), told);
  t.strictSame(rescue(t, { committed: 'sum\n', begun: '' }), told);
  t.end();
});
