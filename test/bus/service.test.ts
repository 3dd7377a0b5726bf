/** org.offlineupdate1 as a program on the bus sees it, through busctl. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { parseBusInterface } from '../../src/host/bus-interface.js';
import { defaultPolicy } from '../../src/update/policy.js';
import { FACE, interfaceFile, serviceScene } from './fixtures/bus-service.js';

const at = ['org.offlineupdate1', '/org/offlineupdate1'] as const;

void t.test('what busctl sees is what the file says, signature by signature', async (t) => {
  const { busctl } = await serviceScene(t);
  const text = (await busctl('introspect', ...at, FACE)).stdout;
  const seen = text
    .split('\n')
    .map((line) => /^\.(\w+) +(method|property|signal) +(\S+) +(\S+)/.exec(line))
    .flatMap((found) => (found ? [found.slice(1, 5).join(' ')] : []));
  const xml = readFileSync(interfaceFile, 'utf8');
  const { methods, signals, properties, name } = parseBusInterface(xml);
  const dash = (signature: string): string => (signature === '' ? '-' : signature);
  const value = /^\.(\w+) +property +\S+ +(.*?) +(?:const|emits-change)/gm;
  t.equal(name, FACE);
  t.strictSame(
    seen.filter((line) => !line.includes(' property ')).sort(),
    [
      ...[...methods].map(([name, body]) => `${name} method ${dash(body.in)} ${dash(body.out)}`),
      ...[...signals].map(([name, body]) => `${name} signal ${body} -`),
    ].sort(),
  );
  t.strictSame(
    [...text.matchAll(value)].map(([, name]) => name),
    [...properties.keys()].sort(),
  );
  const raw = await busctl(
    '--json=short',
    'call',
    ...at,
    'org.freedesktop.DBus.Introspectable',
    'Introspect',
  );
  t.equal((JSON.parse(raw.stdout) as { data: string[] }).data[0], xml);
  t.match((await busctl('tree', at[0])).stdout, /\/org\/offlineupdate1/);
  const ping = await busctl('call', ...at, 'org.freedesktop.DBus.Peer', 'Ping');
  t.equal(ping.exitCode, 0);
});

void t.test(
  'prepared, armed, another end, cancelled: told by properties, signals and the document',
  async (t) => {
    const { machine, call, property, heard } = await serviceScene(t);
    machine.write('/etc/offline-update/config.d/50.toml', 'rehearse = true\n');
    t.equal(await property('State'), 'none');
    const { stdout } = await call('Prepare', 'a{sv}', '1', 'refresh', 'b', 'false');
    t.equal(stdout, '{"type":"u","data":[1]}');
    const prepared = await heard.finished(1);
    const { id } = prepared.details as { id: string };
    t.match(prepared, { operation: 'prepare', error: '', message: '', details: { state: 'prepared' } });
    t.strictSame(
      [await property('State'), await property('UpdateId'), await property('Job'), await property('Phase')],
      ['prepared', id, 0, ''],
      'all is true as soon as the end is told',
    );
    t.ok(
      heard.signals.some(({ member, body }) => member === 'Progress' && body[1] === 'prepare'),
      'progress was told',
    );
    await heard.until(({ body }) => (body[1] as { State?: string }).State === 'prepared');

    t.equal(
      (await call('Trigger', 'a{sv}', '1', 'action', 's', 'poweroff')).stdout,
      '{"type":"u","data":[2]}',
    );
    t.match(await heard.finished(2), {
      operation: 'trigger',
      error: '',
      details: { state: 'armed', id, action: 'poweroff' },
    });
    t.equal(machine.rehearsal.calls.length, 1, 'it was rehearsed');
    const { data } = JSON.parse((await call('GetState')).stdout) as { data: string[] };
    t.match(JSON.parse(data[0] ?? ''), {
      format: 1,
      state: 'armed',
      id,
      action: 'poweroff',
      version: '1.2.3',
    });

    t.equal((await call('SetAction', 's', 'auto')).exitCode, 0);
    await heard.until(({ body }) => (body[1] as { Action?: string }).Action === 'soft-reboot');
    t.equal(readFileSync(machine.paths.action, 'utf8'), 'soft-reboot\n', 'the shell knows it as well');
    const status = (await machine.cli('status', '--json')).json();
    t.match(status, { state: 'armed', action: 'soft-reboot', contradictions: [] });

    t.equal((await call('Cancel')).exitCode, 0);
    await heard.until(({ body }) => (body[1] as { State?: string; Action?: string }).Action === '');
    t.equal(await property('State'), 'prepared');
  },
);

void t.test('Trigger is refused while the windows of the policy are closed', async (t) => {
  const { machine, call, property, heard } = await serviceScene(t);
  await machine.cli('prepare');
  const windows = (from: string, to: string) => {
    machine.write(
      '/etc/offline-update/config.d/50.toml',
      `[[windows]]\nfrom = "${from}"\nto = "${to}"\ntimezone = "UTC"\n`,
    );
  };
  windows('02:00', '04:00');
  const refused = await call('Trigger', 'a{sv}', '0');
  t.match(refused.stderr, /lies in no maintenance window[^]*offline-update trigger --now/);
  t.equal(await property('State'), 'prepared');
  windows('14:00', '16:00');
  const begun = await call('Trigger', 'a{sv}', '0');
  t.equal(begun.stdout, '{"type":"u","data":[2]}', begun.stderr);
  t.match(await heard.finished(2), { error: '', details: { state: 'armed' } });
});

void t.test('what the command does is told as well, and while it goes on', async (t) => {
  const { machine, heard, property, call } = await serviceScene(t);
  let goOn: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (goOn = resolve));
  machine.payload.beforeDownload = (name) => (name === 'beta' ? held : Promise.resolve());
  const prepare = machine.cli('prepare');
  const { body } = await heard.until(({ member }) => member === 'Progress');
  t.strictSame(body, [50, 'prepare', 'alpha', 'downloading']);
  t.equal(await property('Package'), 'alpha');
  const busy = await call('Prepare', 'a{sv}', '0');
  t.match(busy.stderr, /another run of offline-update is at work: .* is locked by process \d+/);
  goOn();
  await prepare;
  await heard.until(({ body }) => (body[1] as { State?: string }).State === 'prepared');
  await machine.cli('trigger');
  await heard.until(({ body }) => (body[1] as { State?: string }).State === 'armed');
  const again = await call('Prepare', 'a{sv}', '0');
  t.match(again.stderr, /is armed and will be installed in the next boot\n {2}next: offline-update cancel/);
});

void t.test('two callers: one has its job, the other one is told which is under way', async (t) => {
  const { machine, call, heard, property } = await serviceScene(t);
  let goOn: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (goOn = resolve));
  machine.payload.beforeDownload = () => held;
  const answers = await Promise.all([call('Prepare', 'a{sv}', '0'), call('Prepare', 'a{sv}', '0')]);
  t.strictSame(answers.map(({ stdout }) => stdout).sort(), ['', '{"type":"u","data":[1]}']);
  t.match(answers.map(({ stderr }) => stderr).join(''), 'prepare is under way here, as job 1');
  t.strictSame([await property('Job'), await property('Operation')], [1, 'prepare']);
  t.match((await call('SetAction', 's', 'auto')).stderr, 'is at work');
  goOn();
  t.equal((await heard.finished(1)).error, '');
  t.equal((await call('Prepare', 'a{sv}', '0')).stdout, '{"type":"u","data":[2]}');
  t.equal((await heard.finished(2)).error, '');
});

void t.test('a preparation is given up: its programs are ended, what was downloaded stays', async (t) => {
  let fail: (error: Error) => void = () => undefined;
  const held = new Promise<void>((_, reject) => (fail = reject));
  const { machine, call, heard } = await serviceScene(t, {
    endChildren() {
      fail(new Error('apt-get was ended by SIGTERM'));
      return Promise.resolve();
    },
  });
  machine.payload.beforeDownload = (name) => (name === 'beta' ? held : Promise.resolve());
  await call('Prepare', 'a{sv}', '2', 'packages', 'as', '2', 'alpha', 'beta', 'refresh', 'b', 'false');
  await heard.until(({ body }) => body[2] === 'alpha');
  t.equal((await call('Cancel')).exitCode, 0);
  t.match(await heard.finished(1), {
    error: 'org.offlineupdate1.Error.CANCELLED',
    message:
      'the preparation was cancelled; what was downloaded is kept\n' +
      '  next: offline-update prepare --no-refresh alpha beta',
  });
  machine.payload.beforeDownload = () => Promise.resolve();
  await call('Prepare', 'a{sv}', '0');
  t.equal((await heard.finished(2)).error, '');
  t.strictSame(machine.payload.downloaded.length, 2, 'alpha was not downloaded again');
});

void t.test('given up between two steps, the next one does not begin', async (t) => {
  let isGivenUp: () => void = () => undefined;
  const givenUp = new Promise<void>((resolve) => (isGivenUp = resolve));
  const { machine, call, heard } = await serviceScene(t, {
    before(_, { ports }) {
      ports.policy = () => givenUp.then(() => defaultPolicy);
      return Promise.resolve();
    },
    endChildren() {
      isGivenUp();
      return Promise.resolve();
    },
  });
  await call('Prepare', 'a{sv}', '0');
  t.equal((await call('Cancel')).exitCode, 0);
  t.equal((await heard.finished(1)).error, 'org.offlineupdate1.Error.CANCELLED');
  t.strictSame(machine.payload.downloaded, []);
});

void t.test('an error has the code and the words of the command', async (t) => {
  const { machine, heard, busctl, call } = await serviceScene(t);
  const names = (member: string, ...words: string[]): Promise<unknown> =>
    busctl('--verbose', 'call', ...at, FACE, member, ...words).then(({ stderr }) => stderr);
  t.match(await names('Cancel'), 'Call failed: no update is armed\n  next: offline-update status');
  t.match(await names('SetAction', 's', 'reboot'), 'no update is prepared');
  t.match(await names('SetAction', 's', 'dance'), /expected one of "auto"\|"reboot"/);
  t.match(await names('Prepare', 'a{sv}', '1', 'fully', 'b', 'true'), 'Unrecognized key: "fully"');
  t.match(await names('Prepare', 'a{sv}', '1', 'full', 's', 'yes'), 'expected boolean, received string');
  t.match(await names('Prepare', 's', 'all'), 'Prepare takes (a{sv}), not (s)');
  t.match(await names('Dance'), 'there is no method Dance');
  t.equal(
    (await call('Prepare', 'a{sv}', '2', 'full', 'b', 'true', 'packages', 'as', '1', 'alpha')).exitCode,
    0,
  );
  t.match(await heard.finished(1), {
    error: 'org.offlineupdate1.Error.USAGE',
    details: { error: { code: 'USAGE' } },
  });
  machine.payload.packages = [];
  await call('Prepare', 'a{sv}', '0');
  t.match(await heard.finished(2), {
    error: 'org.offlineupdate1.Error.NOTHING_TO_DO',
    details: { error: { code: 'NOTHING_TO_DO' } },
  });
});

void t.test('properties cannot be set, and others are not there', async (t) => {
  const { busctl } = await serviceScene(t);
  const face = 'org.freedesktop.DBus.Properties';
  const set = await busctl('call', ...at, face, 'Set', 'ssv', FACE, 'State', 's', 'armed');
  t.match(set.stderr, 'State cannot be set');
  t.match((await busctl('get-property', ...at, FACE, 'Weather')).stderr, 'there is no property Weather');
  t.match(
    (await busctl('call', at[0], '/org/other', FACE, 'Cancel')).stderr,
    'there is no object /org/other',
  );
});
