import fc from 'fast-check';
import assert from 'node:assert/strict';
import t from 'tap';
import { installProgress } from '../../../../src/payloads/packages/apt/install-progress.js';
import { parseStatusLine } from '../../../../src/payloads/packages/apt/status-fd.js';

void t.test("apt's and dpkg's status lines become the same events", (t) => {
  const lines: [string, object | undefined][] = [
    ['dlstatus:1:79.9921:Retrieving file 1 of 2', { kind: 'download', text: 'Retrieving file 1 of 2' }],
    [
      'pmstatus:dpkg-exec:0.0000:Running dpkg',
      { kind: 'progress', item: 'dpkg-exec', stage: 'other', text: 'Running dpkg' },
    ],
    [
      'pmstatus:lab-app:11.1111:Unpacking lab-app (amd64)',
      { kind: 'progress', item: 'lab-app', stage: 'unpacking', text: 'Unpacking lab-app (amd64)' },
    ],
    [
      'pmstatus:lab-app:66.6667:Preparing to configure lab-app (amd64)',
      {
        kind: 'progress',
        item: 'lab-app',
        stage: 'configuring',
        text: 'Preparing to configure lab-app (amd64)',
      },
    ],
    [
      'pmstatus:lab-app:88.8889:Installed lab-app (amd64)',
      { kind: 'progress', item: 'lab-app', stage: 'done', text: 'Installed lab-app (amd64)' },
    ],
    [
      'pmstatus:lab-old:40:Completely removed lab-old (amd64)',
      { kind: 'progress', item: 'lab-old', stage: 'done', text: 'Completely removed lab-old (amd64)' },
    ],
    [
      "pmconffile:/etc/lab.conf:40.0000:'/etc/lab.conf' '/etc/lab.conf.dpkg-new' 1 1",
      { kind: 'conffile', path: '/etc/lab.conf' },
    ],
    [
      'pmerror:/stage/lab-app_1%3a2.0_all.deb:33.3333:new lab-app package: script failed: 1',
      {
        kind: 'error',
        item: '/stage/lab-app_1%3a2.0_all.deb',
        text: 'new lab-app package: script failed: 1',
      },
    ],
    ['media-change: Debian 13,/media/cdrom/', { kind: 'media-change', text: 'Debian 13,/media/cdrom/' }],
    [
      'status: lab-app:amd64: half-installed',
      { kind: 'progress', item: 'lab-app', stage: 'unpacking', text: 'lab-app half-installed' },
    ],
    [
      'status: lab-app:amd64: installed',
      { kind: 'progress', item: 'lab-app', stage: 'done', text: 'lab-app installed' },
    ],
    [
      'processing: configure: lab-app:amd64',
      { kind: 'progress', item: 'lab-app', stage: 'configuring', text: 'configure lab-app' },
    ],
    [
      'status: lab-app:amd64 : error : installed lab-app package post-installation script failed',
      { kind: 'error', item: 'lab-app', text: 'installed lab-app package post-installation script failed' },
    ],
    [
      "status: /etc/lab.conf : conffile-prompt : '/etc/lab.conf' '/etc/lab.conf.dpkg-new' 1 1",
      { kind: 'conffile', path: '/etc/lab.conf' },
    ],
    ['', undefined],
    ['nonsense', undefined],
    ['pmstatus:lab-app:no number:text', undefined],
  ];
  t.same(
    lines.map(([line]) => parseStatusLine(line)),
    lines.map(([, event]) => event),
  );
  t.end();
});

void t.test('any field and any text of a status line come through whole', (t) => {
  const field = fc.stringMatching(/^\/[a-z0-9._%+-]{1,20}$/);
  const text = fc.stringMatching(/^[ -~]{0,40}$/);
  fc.assert(
    fc.property(field, fc.double({ min: 0, max: 100, noNaN: true }), text, (path, percent, words) => {
      const event = parseStatusLine(`pmerror:${path}:${percent.toFixed(4)}:${words}`);
      assert.deepEqual(event, { kind: 'error', item: path, text: words });
    }),
  );
  fc.assert(
    fc.property(fc.string(), (line) => {
      parseStatusLine(line); // whatever comes, it does not throw
    }),
  );
  t.end();
});

void t.test('progress never goes back, stays below 100 and reaches 99 when all packages are done', (t) => {
  const names = ['a', 'b', 'c', 'c']; // c in two architectures
  const words = ['Preparing', 'Unpacking', 'Installing', 'Configuring', 'Installed', 'Removing', 'Removed'];
  const line = fc
    .tuple(fc.constantFrom('a', 'b', 'c', 'foreign', 'dpkg-exec'), fc.constantFrom(...words))
    .map(([name, word]) => `pmstatus:${name}:0.0000:${word} ${name} (amd64)`);
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const progress = installProgress(names);
      const show = (one: string): number => {
        const event = parseStatusLine(one);
        return (event && progress.see(event)?.percent) ?? -1;
      };
      const all = [
        ...lines,
        ...['a', 'b', 'c'].map((name) => `pmstatus:${name}:1:Installed ${name} (amd64)`),
      ];
      const percents = all.map(show);
      return (
        percents.every((percent, index) => percent >= (percents[index - 1] ?? 0) && percent <= 99) &&
        percents.at(-1) === 99
      );
    }),
  );
  const progress = installProgress(names);
  t.same(progress.begun('apt-get'), {
    percent: 0,
    itemsDone: 0,
    itemsTotal: 4,
    text: 'Running apt-get (0 of 4)',
  });
  const event = parseStatusLine('status: c:i386: installed');
  t.same(event && progress.see(event), {
    percent: 49,
    itemsDone: 2,
    itemsTotal: 4,
    item: 'c',
    text: 'c installed (2 of 4)',
  });
  t.same(progress.see({ kind: 'conffile', path: '/etc/x' }), undefined);
  t.end();
});
