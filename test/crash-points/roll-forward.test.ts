/** units/roll-forward below a folder, with a dpkg that notes what it is told. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { sha256OfText } from '../../src/host/hash.js';
import { conffileOptions } from '../../src/payloads/packages/apt/apt-arguments.js';
import { defaultPolicy } from '../../src/update/policy.js';
import { putScripts, scriptIn } from '../fixtures/rooted-scripts.js';

const aptConf = { path: 'apt.conf', sizeBytes: 2, sha256: sha256OfText('c\n') };

/** The calls of dpkg, after the exit status. `files`: packages of the stage, by name; `also`: what a call notes beside its words. */
function rollForward(
  t: Test,
  plan: object,
  files: Record<string, string>,
  also = '',
): [number | null, ...string[]] {
  const stage = { 'apt.conf': 'c\n', packages: files };
  const root = t.testdir({
    programs: {},
    var: { lib: { 'system-update': stage, 'offline-update': { open: {} } } },
  });
  const at = (path: string): string => join(root, path);
  const text = `${JSON.stringify(plan, null, 1)}\n`;
  writeFileSync(at('var/lib/system-update/plan.json'), text);
  const row = `{"entry":{"event":"armed","planHash":"${sha256OfText(text)}"}}\n`;
  writeFileSync(at('var/lib/offline-update/open/journal.jsonl'), row);
  const dpkg = `#!/bin/sh
echo "$*"${also && ` "${also}"`} >>${at('calls')}
for file; do case $file in *.deb) [ -e "$file" ] || exit 1 ;; esac; done
`;
  writeFileSync(at('programs/dpkg'), dpkg, { mode: 0o755 });
  putScripts(root);
  const env = { PATH: `${at('programs')}:/usr/bin:/bin`, LAB_ROOT: root };
  const { status } = spawnSync('sh', [scriptIn(root, 'roll-forward'), 'open'], { env });
  const calls = readFileSync(at('calls'), { encoding: 'utf8', flag: 'a+' }).replaceAll(`${root}/`, '');
  return [status, ...calls.split('\n').slice(0, -1)];
}

const gone = { name: 'old-tool', architecture: 'amd64', action: 'remove', to: null };
const removal = '--force-depends --force-remove-reinstreq --remove old-tool:amd64';
const keep = conffileOptions(defaultPolicy).join(' ');
const configuration = `${keep} --configure --pending`;

void t.test('an update that only removes is finished, too', (t) => {
  t.strictSame(rollForward(t, { payload: { changes: [gone] }, files: [aptConf] }, {}), [
    0,
    removal,
    configuration,
    '--audit',
  ]);
  t.end();
});

void t.test('all sealed files are installed in one call, after what has to go', (t) => {
  const files = [aptConf, { path: 'packages/a.deb', sizeBytes: 2, sha256: sha256OfText('a\n') }];
  const plan = { payload: { changes: [gone] }, files };
  t.strictSame(rollForward(t, plan, { 'a.deb': 'a\n' }), [
    0,
    removal,
    `${keep} --auto-deconfigure --install var/lib/system-update/packages/a.deb`,
    configuration,
    '--audit',
  ]);
  t.strictSame(rollForward(t, plan, { 'a.deb': 'other\n' }), [1], 'a file that was not sealed');
  t.end();
});

void t.test('invariant 7: a package that lies in the stage and is not in the plan is not installed', (t) => {
  const sealed = ['a.deb', 'b%3a1_2+c~d.deb'];
  const files = [
    aptConf,
    ...sealed.map((name) => ({ path: `packages/${name}`, sizeBytes: 2, sha256: sha256OfText('a\n') })),
  ];
  const there = Object.fromEntries([...sealed, 'other.deb'].map((name) => [name, 'a\n']));
  const packages = sealed.map((name) => `var/lib/system-update/packages/${name}`).join(' ');
  t.strictSame(rollForward(t, { payload: { changes: [] }, files }, there), [
    0,
    `${keep} --auto-deconfigure --install ${packages}`,
    configuration,
    '--audit',
  ]);
  t.end();
});

void t.test('configuration files that were changed are kept or replaced as the sealed policy says', (t) => {
  const files = [aptConf, { path: 'packages/a.deb', sizeBytes: 2, sha256: sha256OfText('a\n') }];
  for (const conffiles of ['keep', 'replace'] as const) {
    const policy = { ...defaultPolicy, conffiles };
    const words = conffileOptions(policy).join(' ');
    const ucf = conffiles === 'keep' ? 'UCF_FORCE_CONFFOLD=1' : 'UCF_FORCE_CONFFNEW=1';
    t.strictSame(
      rollForward(t, { payload: { changes: [] }, files, policy }, { 'a.deb': 'a\n' }, '$(env | grep UCF)'),
      [
        0,
        `${words} --auto-deconfigure --install var/lib/system-update/packages/a.deb ${ucf}`,
        `${words} --configure --pending ${ucf}`,
        `--audit ${ucf}`,
      ],
    );
  }
  t.end();
});
