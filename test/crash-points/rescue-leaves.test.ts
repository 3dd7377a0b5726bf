/** How the shell has the machine left when the service is gone: units/rescue and guard below a folder, with a `leave` that notes its words. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { putScripts, scriptIn, type Script } from '../fixtures/rooted-scripts.js';

const byAuto = { because: 'nothing changes that a kernel reads' };

/** The words, and what was noted for the next boot. `events`: of the journal; without any, no update is open. */
function left(
  t: Test,
  script: Script,
  events: readonly object[],
  furnish?: (root: string) => void,
): { words: string; noted: string } {
  const root = t.testdir({
    etc: {},
    run: { 'offline-update': { 'update-boot': '' } },
    programs: {},
    var: { lib: { 'offline-update': { updates: { this: {} } } } },
  });
  const program = (path: string, text: string): void => {
    writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  };
  putScripts(root);
  program(scriptIn(root, 'leave'), `echo "$*" >"$LAB_ROOT/left"`);
  program(scriptIn(root, 'roll-forward'), 'exit 0');
  for (const name of ['sync', 'systemctl']) program(join(root, 'programs', name), ':');
  symlinkSync('/var/lib/system-update', join(root, 'system-update.claimed'));
  const state = join(root, 'var/lib/offline-update');
  if (events.length > 0) symlinkSync('updates/this', join(state, 'open'));
  const rows = events.map((entry) => `${JSON.stringify({ sequence: 1, entry, check: 'aa' })}\n`);
  writeFileSync(join(state, 'updates/this/journal.jsonl'), rows.join(''));
  mkdirSync(join(root, 'dev'));
  furnish?.(root);
  const env = { LAB_ROOT: root, PATH: `${join(root, 'programs')}:/usr/bin:/bin` };
  const { stderr, status } = spawnSync('sh', [scriptIn(root, script)], { env, encoding: 'utf8' });
  t.strictSame([status, stderr], [0, '']);
  const rescued = join(state, 'rescued');
  const noted = existsSync(rescued) ? readFileSync(rescued, 'utf8').trim() : '';
  return {
    words: readFileSync(join(root, 'left'), 'utf8').trim(),
    noted: noted.slice(noted.indexOf(' ') + 1),
  };
}

const armed = { event: 'armed', planHash: 'aa', action: 'soft-reboot', trigger: '/system-update' };
const begun = [
  { event: 'claimed', attempt: 1 },
  { event: 'installing', attempt: 1, fallback: null },
];
const installed = [...begun, { event: 'installed', attempt: 1 }];
const ways: readonly [Script, readonly object[], string][] = [
  ['rescue', begun, 'rolled-forward'],
  ['rescue', installed, 'ended-without-leaving'],
  ['guard', installed, 'left-by-guard'],
];

void t.test('nobody has looked at what changed: no soft-reboot that auto had decided on', (t) => {
  for (const [script, events, noted] of ways) {
    t.strictSame(left(t, script, [{ ...armed, ...byAuto }, ...events]), { words: 'full', noted });
    t.strictSame(left(t, script, [armed, { ...armed, ...byAuto }, ...events]), { words: 'full', noted });
  }
  t.strictSame(left(t, 'rescue', []), { words: 'full', noted: 'ended-without-leaving' }, 'closed already');
  t.end();
});

void t.test('invariant 11: a soft-reboot that a person has wished for is carried out', (t) => {
  for (const [script, events, noted] of ways) {
    t.strictSame(left(t, script, [armed, ...events]), { words: '', noted });
    t.strictSame(left(t, script, [{ ...armed, ...byAuto }, armed, ...events]), { words: '', noted });
  }
  t.end();
});

void t.test('a copy that no link leads back to does not keep the machine in the update boot', (t) => {
  const copyAlone = (root: string): void => {
    mkdirSync(join(root, 'var/lib/offline-update/fallbacks'));
    symlinkSync('this', join(root, 'var/lib/offline-update/fallbacks/armed'));
    rmSync(join(root, 'system-update.claimed'));
  };
  t.strictSame(
    left(t, 'guard', [armed, ...begun], copyAlone),
    { words: 'full', noted: 'left-by-guard' },
    'files of either system: no soft-reboot, whatever was wished',
  );
  t.end();
});

void t.test('before the first change there is nothing to be looked at', (t) => {
  const claimed = [
    { ...armed, ...byAuto },
    { event: 'claimed', attempt: 1 },
  ];
  t.strictSame(left(t, 'rescue', claimed), { words: '', noted: 'nothing-changed' });
  t.end();
});

void t.test('a row of which a power cut left nothing but its length hides no other', (t) => {
  const lengthAlone = (root: string): void => {
    const journal = join(root, 'var/lib/offline-update/updates/this/journal.jsonl');
    writeFileSync(journal, `${'\0'.repeat(200)}\n${readFileSync(journal, 'utf8')}`);
  };
  for (const [script, events, noted] of ways) {
    t.strictSame(left(t, script, [armed, ...events], lengthAlone), { words: '', noted });
    t.strictSame(left(t, script, [{ ...armed, ...byAuto }, ...events], lengthAlone), {
      words: 'full',
      noted,
    });
  }
  t.end();
});

void t.test('without its record: on to the normal target, but out of a root that does not boot next', (t) => {
  const isGone =
    (armedAs?: string) =>
    (root: string): void => {
      rmSync(join(root, 'var/lib/offline-update'), { recursive: true });
      if (armedAs !== undefined)
        writeFileSync(join(root, 'run/offline-update/fallback-armed'), `${armedAs}\n`);
    };
  const id = '20261120T154935-3f2a';
  t.strictSame(left(t, 'rescue', begun, isGone()), { words: 'stay', noted: '' });
  t.strictSame(left(t, 'rescue', begun, isGone(id)), { words: 'stay', noted: '' }, 'a copy is gone with it');
  t.strictSame(left(t, 'rescue', begun, isGone(`@.offline-update-${id}`)), { words: '', noted: '' });
  t.end();
});
