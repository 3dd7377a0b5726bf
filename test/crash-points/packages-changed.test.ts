/** units/packages-changed below a folder, cut before each of its steps: what an ordinary boot then finds says what happened. */
import { symlinkSync } from 'node:fs';
import { join, relative } from 'node:path';
import t, { type Test } from 'tap';
import { putScripts, scriptIn, type Change } from '../fixtures/rooted-scripts.js';
import { trace } from './shell/traced.js';

const link = 'system-update';
const rescued = 'var/lib/offline-update/rescued';
const script = 'packages-changed';
const path: Change = { script, from: 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', to: 'PATH=$LAB_PATH' };

interface Run extends ReturnType<typeof trace> {
  root: string;
}

/** The script on a machine whose packages are others than those of the plan. `journal`: of the update that is armed. */
function run(t: Test, journal: string, changes: readonly Change[] = []): Run {
  const id = '20261120T154935-3f2a';
  const folder = t.testdir({
    root: {
      etc: {},
      run: {},
      var: {
        lib: {
          'system-update': {
            'plan.json': `{\n "id": "${id}",\n "baseFingerprint": "${'a'.repeat(64)}"\n}\n`,
          },
          'offline-update': { updates: { [id]: { 'journal.jsonl': journal } } },
        },
      },
    },
    scratch: {},
    programs: {},
  });
  const [root, scratch] = [join(folder, 'root'), join(folder, 'scratch')];
  symlinkSync('/var/lib/system-update', join(root, link));
  putScripts(root, [path, ...changes]);
  const env = { LAB_ROOT: root, LAB_PATH: `${join(scratch, 'bin')}:/usr/bin:/bin` };
  const programs = { 'dpkg-query': 'echo "ii  other:amd64 1.0"', systemctl: ':' };
  return { ...trace(['sh', scriptIn(root, script)], { root, scratch, programs, env }), root };
}

const row = (event: string): string => `{"entry":{"event":"${event}"}}\n`;

/** The steps that change or sync the disk, and before which of them a cut leaves no link and no word of it. */
function cuts(t: Test, changes: readonly Change[] = []): { steps: string[]; untold: string[] } {
  const { status, stderr, steps, root } = run(t, row('armed'), changes);
  t.equal(status, 0);
  t.match(stderr, /^offline-update: packages were changed, .* and was disarmed\n/);
  const told = steps
    .filter(({ words: [name, ...words] }) => name !== 'mkdir' || !words.join().includes('/run/'))
    .map(({ words: [name = '', ...words], look }) => ({
      step: [name, ...words.map((word) => (word.startsWith(root) ? relative(root, word) || '/' : word))].join(
        ' ',
      ),
      isTold: look.has(link) || (look.get(rescued)?.text.includes(' packages-changed\n') ?? false),
    }));
  return {
    steps: told.map(({ step }) => step),
    untold: told.filter(({ isTold }) => !isTold).map(({ step }) => step),
  };
}

void t.test('the trigger goes only when it is on the disk why, and its going is synced', (t) => {
  const { steps, untold } = cuts(t);
  t.strictSame(untold, []);
  t.strictSame(steps, [`sync ${rescued} var/lib/offline-update`, `rm -f -- ${link}`, 'sync /', 'end']);
  t.end();
});

void t.test(
  'the other way round a cut would leave an update that is no longer armed, and nobody knows',
  (t) => {
    const order = '\t\t\trecord packages-changed\n\t\t\tdrop_links || :\n';
    const turned = '\t\t\tdrop_links || :\n\t\t\trecord packages-changed\n';
    t.not(cuts(t, [{ script, from: order, to: turned }]).untold.length, 0);
    t.end();
  },
);

void t.test(
  'what has begun is left alone, also where a power cut left a row of nothing but its length',
  (t) => {
    const zeros = `${'\0'.repeat(200)}\n`;
    for (const journal of [row('installed'), zeros + row('installed')]) {
      const { status, stderr, steps } = run(t, row('armed') + journal);
      t.strictSame([status, stderr], [0, '']);
      t.ok(steps.at(-1)?.look.has(link));
    }
    t.end();
  },
);
