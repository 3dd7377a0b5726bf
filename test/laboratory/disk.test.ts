import { spawn } from 'node:child_process';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { command } from './command.js';
import { choosePoints } from './disk/choose-points.js';
import { CrashStates, type CrashPoint } from './disk/crash-states.js';
import { makeDiskFolder, type DiskFolder } from './disk/disk-folder.js';
import { DiskLog } from './disk/disk-log.js';
import { mountDisk } from './disk/disk-machine.js';
import { RecordedDisk } from './disk/recorded-disk.js';
import { letSlowDiskGo, startSlowDisk } from './disk/slow-disk.js';

const skip = existsSync('/dev/fuse') ? false : 'it takes /dev/fuse';
const block = 4096;
const diskBlocks = 32;

async function diskFolder(t: Test): Promise<DiskFolder> {
  const folder = await makeDiskFolder();
  t.teardown(() => {
    folder.remove();
  });
  return folder;
}

/** Block 0 is written and flushed; blocks 4 to 11 are written in one piece, block 2 after them, and neither is flushed. */
async function recordedWrites(
  t: Test,
): Promise<{ folder: DiskFolder; base: string; image: string; log: DiskLog }> {
  const folder = await diskFolder(t);
  const [base, image] = [join(folder.sharing, 'base'), join(folder.memory, 'image')];
  for (const each of [base, image]) await command(['truncate', `--size=${diskBlocks * block}`, each]);
  const logFile = join(folder.memory, 'log');
  const disk = await RecordedDisk.start(image, logFile, join(folder.path, 'disk'));
  const file = openSync(disk.file, 'r+');
  writeSync(file, Buffer.alloc(block, 'a'), 0, block, 0);
  fsyncSync(file);
  writeSync(file, Buffer.alloc(8 * block, 'b'), 0, 8 * block, 4 * block);
  writeSync(file, Buffer.alloc(block, 'turn! '), 0, block, 2 * block);
  closeSync(file);
  await disk.close();
  const log = new DiskLog(logFile);
  t.teardown(() => {
    log.close();
  });
  return { folder, base, image, log };
}

/** One letter a block: what it is filled with, or a dot. */
function letters(image: string): string {
  const bytes = readFileSync(image);
  const first = Array.from({ length: 12 }, (_, index) => bytes[index * block] ?? 0);
  return first.map((byte) => (byte === 0 ? '.' : String.fromCharCode(byte))).join('');
}

void t.test('every write and flush is in the log, in its order', { skip }, async (t) => {
  const { log } = await recordedWrites(t);
  const events = log.events.map((event) =>
    event.kind === 'flush' ? 'flush' : `${event.length / block} at ${event.offset / block}`,
  );
  t.strictSame(events, ['1 at 0', 'flush', '8 at 4', '1 at 2']);
  t.strictSame([...log.firstWritesWith(['turn!', 'never'])], [['turn!', 3]]);
});

void t.test('a crash state has what was flushed, and of the rest what its kind says', { skip }, async (t) => {
  const { folder, base, image, log } = await recordedWrites(t);
  const stateAt = (point: CrashPoint) => letters(new CrashStates(log, base, folder.sharing).image(point));
  t.equal(stateAt({ at: 0, kind: 'lost', seed: 1 }), '............', 'nothing is flushed yet');
  t.equal(stateAt({ at: 0, kind: 'prefix', seed: 1 }), 'a...........');
  t.equal(stateAt({ at: 3, kind: 'lost', seed: 1 }), 'a...........', 'what was flushed stays');
  t.equal(stateAt({ at: 2, kind: 'prefix', seed: 1 }), 'a...bbbbbbbb');
  t.equal(stateAt({ at: 3, kind: 'prefix', seed: 1 }), 'a.t.bbbbbbbb');
  t.equal(letters(image), 'a.t.bbbbbbbb', 'all of the log is the disk');

  const seeds = Array.from({ length: 64 }, (_, seed) => seed);
  const subsets = new Set(seeds.map((seed) => stateAt({ at: 3, kind: 'subset', seed })));
  t.strictSame(
    [...subsets].sort(),
    ['a...........', 'a...bbbbbbbb', 'a.t.........', 'a.t.bbbbbbbb'],
    'each subset of the two writes',
  );
  const torn = new Set(seeds.map((seed) => stateAt({ at: 3, kind: 'torn', seed })));
  t.ok(torn.size > 16, 'a write can be there in part');
  t.strictSame(
    [...torn].filter((each) => !/^a\.[t.]\.[b.]{8}$/.test(each)),
    [],
    'but never a part of a block',
  );
});

void t.test('states come in the order of the log', { skip }, async (t) => {
  const { folder, base, log } = await recordedWrites(t);
  const states = new CrashStates(log, base, folder.sharing);
  states.image({ at: 1, kind: 'lost', seed: 1 });
  t.throws(() => states.image({ at: 0, kind: 'lost', seed: 1 }), RangeError);
});

void t.test('who still has a state open does not write into the next one', { skip }, async (t) => {
  const { folder, base, log } = await recordedWrites(t);
  const states = new CrashStates(log, base, folder.sharing);
  const late = openSync(states.image({ at: 3, kind: 'prefix', seed: 1 }), 'r+');
  const image = states.image({ at: 3, kind: 'prefix', seed: 1 });
  writeSync(late, 'late');
  closeSync(late);
  t.equal(letters(image), 'a.t.bbbbbbbb');
});

void t.test('the same seed chooses the same points, half of them around the turns', { skip }, async (t) => {
  const { log } = await recordedWrites(t);
  const choice = { count: 40, seed: 7, turningTexts: ['turn!'] };
  const points = choosePoints(log, choice);
  t.strictSame(choosePoints(log, choice), points);
  t.notSame(choosePoints(log, { ...choice, seed: 8 }), points);
  t.strictSame(
    points.map(({ at }) => at),
    points.map(({ at }) => at).sort((a, b) => a - b),
  );
  t.strictSame([...new Set(points.map(({ at }) => at))], [0, 1, 2, 3], 'from the first event to the last');
});

void t.test('a disk that is unmounted is free, though a container has a copy of the mount', async (t) => {
  const { memory, mountPoint } = await diskFolder(t);
  const image = join(memory, 'image');
  await command(['truncate', '--size=16M', image]);
  await command(['mkfs.ext4', '-q', image]);
  await mkdir(mountPoint, { recursive: true });
  const device = await mountDisk(image, 'ext4', mountPoint);
  // As systemd-nspawn does it for its containers.
  const copy = ['--mount', '--propagation=slave', 'sh', '-c', 'echo ready; read -r end'];
  const other = spawn('unshare', copy, { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(other.stdout, 'data');
  await command(['umount', mountPoint]);
  const { stdout } = await command(['losetup', '--associated', image]);
  other.stdin.end();
  await once(other, 'exit');
  t.equal(stdout, '', `${device} has let go of the image`);
});

void t.test(
  'a disk with slow flushes holds each flush back and reads and writes its image',
  { skip },
  async (t) => {
    const folder = await diskFolder(t);
    const image = join(folder.sharing, 'image');
    await command(['truncate', `--size=${diskBlocks * block}`, image]);
    const flushMilliseconds = 20;
    const path = await startSlowDisk(image, { flushMilliseconds }).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : '';
      if (!why.includes('no FUSE passthrough')) throw error;
      t.plan(0, why);
    });
    if (path === undefined) return;
    t.teardown(() => letSlowDiskGo(image));
    const file = openSync(path, 'r+');
    writeSync(file, Buffer.alloc(block, 'a'), 0, block, block);
    t.equal(letters(image), '.a..........', 'there before any flush');
    const begin = performance.now();
    fsyncSync(file);
    fsyncSync(file);
    const took = performance.now() - begin;
    t.ok(took >= 2 * flushMilliseconds, `${took} ms`);
    closeSync(file);
    t.equal(letters(path), letters(image));
  },
);

void t.test(
  'a disk with slow flushes that cannot be had tells why, and leaves no mount',
  { skip },
  async (t) => {
    const { memory } = await diskFolder(t);
    const image = join(memory, 'none');
    await t.rejects(startSlowDisk(image, { flushMilliseconds: 1 }), {
      message: `ENOENT: no such file or directory, open '${image}'`,
    });
    t.equal(readFileSync(`${image}.shown`, 'utf8'), '', 'the file that it would have been shown in');
  },
);
