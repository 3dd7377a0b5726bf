import { existsSync } from 'node:fs';
import t from 'tap';
import { lookAtChanges } from '../../src/host/watch-folder.js';
import { followLive } from '../../src/prepare/follow.js';
import { liveProgress } from '../../src/prepare/live-progress.js';
import { readLiveStatus, writeLiveStatus, type LiveStatus } from '../../src/update/live-status.js';
import { newOnlineMachine } from '../fixtures/online-machine.js';

void t.test('a follower sees a prepare from its beginning to its end', async (t) => {
  const { ports, paths } = newOnlineMachine(t);
  // The clock of this machine moves on by a second at each look: nothing is left out for coming too soon.
  const live = liveProgress(ports.online, ports.online.moment.now);
  const seen: string[] = [];
  live.on({ percent: 10, text: 'downloading', item: 'alpha' });
  await until(() => existsSync(paths.statusFile));
  const followed = followLive(ports.online.fs, paths, ({ state, id, percent, package: name }) => {
    seen.push(`${state} ${String(id)} ${percent} ${String(name)}`);
  });
  await until(() => seen.length === 1);
  live.on({ percent: 20.9, text: 'downloading', item: 'beta' });
  await until(() => seen.length === 2);
  await live.end();
  await followed;
  t.strictSame(seen, ['preparing null 10 alpha', 'preparing null 20 beta']);
  t.notOk(existsSync(paths.statusFile));
});

void t.test('a follower who may not make the folder sees that nothing goes on', async (t) => {
  const { ports, paths } = newOnlineMachine(t);
  const refused = () => Promise.reject(Object.assign(new Error('no'), { code: 'EACCES' }));
  await followLive({ ...ports.online.fs, makeFolder: refused }, paths, () => t.fail('nothing goes on'));
});

void t.test('of what comes too soon one after the other, the last is told', async (t) => {
  const { ports, paths } = newOnlineMachine(t);
  await ports.online.fs.makeFolder(paths.runFolder, 0o755);
  const live = liveProgress(ports.online);
  for (const percent of [10, 20, 30]) live.on({ percent, text: 'downloading' });
  await lookAtChanges(paths.runFolder, async () => {
    return (await readLiveStatus(ports.online.fs, paths))?.percent !== 30;
  });
  await live.end();
  t.notOk(existsSync(paths.statusFile));
});

void t.test('a prepare that is refused leaves alone what another process tells', async (t) => {
  const machine = newOnlineMachine(t);
  const { ports, paths } = machine;
  const own = liveProgress(ports.online, ports.online.moment.now);
  own.on({ percent: 50, text: 'installing' });
  await until(() => existsSync(paths.statusFile));
  await liveProgress(ports.online).end();
  t.ok(existsSync(paths.statusFile));
  await own.end();
});

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

void t.test('where nothing goes on, there is nothing to follow', async (t) => {
  const machine = newOnlineMachine(t);
  t.match((await machine.cli('status', '--follow')).stdout, /^State /);
  const { fs } = machine.ports.online;
  const dead: LiveStatus = {
    format: 1,
    pid: 2 ** 22 + 1,
    id: null,
    state: 'preparing',
    phase: 'prepare',
    percent: 50,
    package: null,
    text: 'downloading',
    since: '',
    lastEvent: '',
    stalled: false,
  };
  await writeLiveStatus(fs, machine.paths, dead);
  t.match(
    await lines(machine, 'status', '--follow', '--json'),
    [{ state: 'none', live: null }],
    'left by a crash',
  );
});

async function lines(machine: ReturnType<typeof newOnlineMachine>, ...words: string[]): Promise<unknown[]> {
  const { stdout } = await machine.cli(...words);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
}
