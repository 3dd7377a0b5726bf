import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { fileSystem } from '../../src/host/file-system.js';
import type { LogEntry } from '../../src/host/system-log.js';
import { announcement } from '../../src/update/announcement.js';
import { announcer } from '../../src/update/announce.js';
import type { UpdateEvent } from '../../src/update/events.js';
import type { LiveStatus } from '../../src/update/live-status.js';
import { messageIds, noticeIds } from '../../src/update/message-ids.js';
import { pathsBelow } from '../../src/update/paths.js';
import { transitions } from '../../src/update/state.js';

const id = '20261120T154935-3f2a';
const reason = { code: 'INSTALL_FAILED', message: 'beta: its postinst ended with 1' } as const;
const armed: UpdateEvent = { event: 'armed', planHash: 'a', action: 'auto', trigger: '/system-update' };
const failed: UpdateEvent = { event: 'failed', reason, healed: false };

void t.test('every event but prepared has a message id of its own, and the catalog explains it', (t) => {
  const told = Object.keys(transitions).filter((name) => name !== 'prepared');
  t.strictSame(Object.keys(messageIds).sort(), told.sort());
  const ids = [...Object.values(messageIds), ...Object.values(noticeIds)];
  t.equal(new Set(ids).size, ids.length);
  const catalog = readFileSync(join(import.meta.dirname, '../../packaging/offline-update.catalog'), 'utf8');
  const explained = [
    ...catalog.matchAll(/^-- ([0-9a-f]{32})\nSubject: \S.*\nDefined-By: offline-update\n/gm),
  ];
  t.strictSame(explained.map(([, found]) => found).sort(), ids.sort());
  t.end();
});

function listeners(test: Test) {
  const root = test.testdir({ var: { lib: { 'offline-update': {} } }, srv: {} });
  const paths = pathsBelow(root);
  const entries: LogEntry[] = [];
  const log = {
    entry: (entry: LogEntry) => {
      entries.push(entry);
      return Promise.resolve();
    },
  };
  const policy = () => Promise.resolve({ statusFile: '/srv/update-status.json' });
  const announce = announcer({ fs: fileSystem, paths, log, policy });
  const dashboard = () => JSON.parse(readFileSync(join(root, 'srv/update-status.json'), 'utf8')) as unknown;
  return { announce, entries, paths, dashboard, root };
}

void t.test(
  'a failure is an error in the journal, a line at log-in, and the end for the dashboard',
  async (t) => {
    const { announce, entries, paths, dashboard } = listeners(t);
    announce.event(id, armed);
    await announce.settled();
    t.strictSame(dashboard(), {
      state: 'installing',
      progress: 0,
      description: 'armed at /system-update',
      updateTo: id,
    });
    announce.event(id, failed);
    await announce.settled();
    t.strictSame(entries.at(-1), {
      messageId: messageIds.failed,
      message: `update ${id}: failed: beta: its postinst ended with 1`,
      priority: 'error',
      fields: {
        OFFLINE_UPDATE_ID: id,
        OFFLINE_UPDATE_EVENT: 'failed',
        OFFLINE_UPDATE_REASON: 'INSTALL_FAILED',
      },
    });
    t.equal(
      readFileSync(paths.motd, 'utf8'),
      `The offline update ${id} did not succeed: failed: beta: its postinst ended with 1 (offline-update report ${id})\n`,
    );
    t.match(dashboard(), { state: 'failed', progress: 100 });
  },
);

void t.test('at log-in an update that was begun is armed no more, and a rollback is no update', async (t) => {
  const { announce, entries, paths, dashboard } = listeners(t);
  const motd = async (): Promise<string> => {
    await announce.settled();
    return readFileSync(paths.motd, 'utf8');
  };
  announce.event(id, armed);
  t.match(await motd(), 'is armed: the next boot installs it');
  announce.event(id, { event: 'claimed', attempt: 1 });
  t.equal(
    await motd(),
    `The offline update ${id} was begun and has no verdict yet (offline-update status)\n`,
  );
  const told = entries.length;
  announce.again(id, failed);
  t.match(await motd(), 'did not succeed: failed: beta');
  t.match(dashboard(), { state: 'failed', progress: 100 });
  announce.rollback('20261121T000000-0000');
  t.equal(
    await motd(),
    'Rollback 20261121T000000-0000: the system from another time boots (offline-update history)\n',
  );
  t.equal(entries.length, told, 'the journal of the machine has it already');
});

void t.test('the tail of the terminal log is for who asks: each listener gets one line', (t) => {
  const message = `${reason.message}\nThe last lines of the terminal log:\nSetting up beta (2.0) ...`;
  for (const event of ['refused', 'failed', 'reverted', 'blocked'] as const) {
    const long = { code: reason.code, message };
    const { entry, motd, dashboard } = announcement(id, { event, reason: long, healed: false });
    for (const said of [entry?.message, motd, dashboard?.description]) {
      t.match(said, reason.message);
      t.notMatch(said, '\n');
    }
  }
  t.end();
});

void t.test('the dashboard follows the progress, in order, and idles after the confirmation', async (t) => {
  const { announce, dashboard } = listeners(t);
  const live: LiveStatus = {
    format: 1,
    pid: 1,
    id,
    state: 'installing',
    phase: 'install',
    percent: 43,
    package: 'openssl',
    text: 'Unpacking openssl',
    since: '',
    lastEvent: '',
    stalled: false,
  };
  announce.progress({ ...live, percent: 42 });
  announce.progress(live);
  await announce.settled();
  t.strictSame(dashboard(), {
    state: 'installing',
    progress: 43,
    description: 'Unpacking openssl',
    updateTo: id,
  });
  announce.event(id, { event: 'confirmed' });
  await announce.settled();
  t.match(dashboard(), { state: 'success', progress: 100, updateTo: '' });
});

void t.test('no event leaves the dashboard in the middle of an update for ever', (t) => {
  const ends: UpdateEvent[] = [
    { event: 'cancelled', reason: 'by hand' },
    { event: 'confirmed' },
    { event: 'stale', reason },
    { event: 'refused', reason },
    { event: 'reverted', reason },
    { event: 'blocked', reason },
    failed,
  ];
  for (const end of ends) t.not(announcement(id, end).dashboard?.state, 'installing', end.event);
  t.end();
});

void t.test('listeners that cannot be reached hold nothing up, and the others are told', async (t) => {
  const { announce, paths, root } = listeners(t);
  mkdirSync(join(root, 'srv/update-status.json'));
  announce.event(id, { event: 'cancelled', reason: 'by hand' });
  announce.event(id, armed);
  await t.resolves(announce.settled());
  t.match(readFileSync(paths.motd, 'utf8'), /armed/);
});

void t.test('what a power cut left beside the file, or somebody put there, is no obstacle', async (t) => {
  const { announce, dashboard, root } = listeners(t);
  const others = join(root, 'srv/others');
  writeFileSync(others, 'theirs');
  const left = Array.from({ length: 50 }, (_, count) => `.update-status.${process.pid}.${count}`);
  for (const name of [...left, '.update-status.json.next']) symlinkSync('others', join(root, 'srv', name));
  announce.event(id, armed);
  await announce.settled();
  t.match(dashboard(), { state: 'installing' });
  announce.event(id, failed);
  await announce.settled();
  t.match(dashboard(), { state: 'failed' });
  t.equal(readFileSync(others, 'utf8'), 'theirs');
});
