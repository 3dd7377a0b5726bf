import { createHash } from 'node:crypto';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import t, { type Test } from 'tap';
import { Hasher, hashingInTurn, sha256OfFile, sha256OfFiles } from '../../src/host/hash.js';
import { HashThreads } from '../../src/host/hash-threads.js';

const largeBytes = 5 * 1024 * 1024 + 1;

/** Each of another letter. */
function largeFiles(t: Test, count: number, bytes = largeBytes): { path: string; sum: string }[] {
  const root = t.testdir({});
  return Array.from({ length: count }, (_, index) => {
    const content = Buffer.alloc(bytes, String.fromCharCode(97 + index));
    const path = join(root, `file-${index}`);
    writeFileSync(path, content);
    return { path, sum: createHash('sha256').update(content).digest('hex') };
  });
}

function opened(t: Test, path: string): number {
  const descriptor = openSync(path, 'r');
  t.teardown(() => {
    closeSync(descriptor);
  });
  return descriptor;
}

/** Hashes them with so many further threads at most; how many there were after each, and in the end. */
async function threadsWhile(t: Test, files: ReturnType<typeof largeFiles>, most: number): Promise<number[]> {
  const threads = new HashThreads(most);
  const hasher = new Hasher(threads);
  const counts: number[] = [];
  const sumOf = hashingInTurn(4, async (path) => {
    const sum = await hasher.sha256(path);
    counts.push(threads.count);
    return sum;
  });
  t.strictSame(
    await Promise.all(files.map(({ path }) => sumOf(path))),
    files.map(({ sum }) => sum),
  );
  t.equal(threads.count, 0, 'they end with the last one');
  return counts;
}

void t.test('many large files at once have the sums that they have one by one', async (t) => {
  const counts = await threadsWhile(t, largeFiles(t, 12), 2);
  t.strictSame(counts.slice(0, 4), [0, 0, 0, 0], 'no threads before they are worth it');
  t.ok(Math.max(...counts) > 0, `threads while files are left: ${counts.join()}`);
});

void t.test('files that are large each: the next ones wait until a thread is worth it', async (t) => {
  const counts = await threadsWhile(t, largeFiles(t, 3, 40 * 1024 * 1024), 1);
  t.ok(Math.max(...counts) > 0, counts.join());
});

void t.test('a list of files has the sums that they have one by one', async (t) => {
  const files = largeFiles(t, 3);
  const sums = await sha256OfFiles(files.map(({ path }) => path));
  t.strictSame(
    [...sums],
    files.map(({ path, sum }) => [path, sum]),
  );
});

void t.test('others have their turn while a large file is hashed, or many small ones', async (t) => {
  const turnsIn = async (work: () => Promise<unknown>): Promise<number> => {
    let [turns, isDone] = [0, false];
    const count = (): void => {
      turns += 1;
      if (!isDone) setImmediate(count);
    };
    setImmediate(count);
    await work();
    isDone = true;
    return turns;
  };
  const [file] = largeFiles(t, 1);
  t.ok((await turnsIn(() => sha256OfFile(file?.path ?? ''))) > 10, 'a large one');
  const root = t.testdir(Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`${index}`, 'text'])));
  const paths = Array.from({ length: 400 }, (_, index) => join(root, `${index}`));
  t.ok((await turnsIn(() => sha256OfFiles(paths))) > 3, 'small ones');
});

void t.test(
  'a thread answers for each file that it was asked for, and there are no more threads than wanted',
  async (t) => {
    const files = largeFiles(t, 5);
    const threads = new HashThreads(2);
    const sums = await Promise.all(files.map(({ path }) => threads.sha256(opened(t, path))));
    t.strictSame(
      sums,
      files.map(({ sum }) => sum),
    );
    t.equal(threads.count, 2);
    threads.end();
    t.equal(threads.count, 0);
  },
);

void t.test(
  'where there is no thread, none that lives, or it cannot read, there is no sum and no error',
  async (t) => {
    const path = largeFiles(t, 1)[0]?.path ?? '';
    t.equal(await new HashThreads(0).sha256(opened(t, path)), undefined, 'one processor');
    const broken = new HashThreads(1, 'throw new Error("no")');
    t.equal(await broken.sha256(opened(t, path)), undefined, 'it ended with an error');
    t.equal(broken.count, 0);
    const threads = new HashThreads(1);
    t.equal(await threads.sha256(opened(t, t.testdirName)), undefined, 'a folder');
    const ended = threads.sha256(opened(t, path));
    threads.end();
    t.equal(await ended, undefined, 'it was ended before it answered');
  },
);

void t.test('where the kernel has no thread to give, there is no sum and no error', async (t) => {
  const [file] = largeFiles(t, 1);
  const path = file?.path ?? '';
  const refused = (): never => {
    throw Object.assign(new Error('EAGAIN: no thread'), { code: 'ERR_WORKER_INIT_FAILED' });
  };
  const none = new HashThreads(2, undefined, refused);
  t.equal(await none.sha256(opened(t, path)), undefined);
  t.equal(none.count, 0);

  let given = 0;
  const one = new HashThreads(2, undefined, (text) => {
    given += 1;
    return given === 1 ? new Worker(text, { eval: true, execArgv: [] }) : refused();
  });
  const sums = await Promise.all([one.sha256(opened(t, path)), one.sha256(opened(t, path))]);
  t.strictSame(sums, [file?.sum, file?.sum], 'the one that there is does it all');
  t.strictSame([given, one.count], [2, 1]);
  one.end();
});
