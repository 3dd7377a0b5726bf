import t from 'tap';
import { EventEmitter, once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type { CommandOptions, RunCommand } from '../../src/host/command.js';
import { HostError } from '../../src/host/host-error.js';
import { writeKernelLog } from '../../src/host/kernel-log.js';
import { openPlymouth } from '../../src/host/plymouth.js';
import { systemLog } from '../../src/host/system-log.js';

interface FakeCommands extends EventEmitter {
  run: RunCommand;
  /** Each call as one line. */
  calls: string[];
  options: (CommandOptions | undefined)[];
  /** Lets the oldest open call end. */
  finish: (exitCode?: number) => void;
}

/** Commands that end when the test says so; emits `call`. */
function fakeCommands(): FakeCommands {
  const open: ((exitCode: number) => void)[] = [];
  const calls: string[] = [];
  const allOptions: (CommandOptions | undefined)[] = [];
  const run: RunCommand = (file, args, options) => {
    calls.push([file, ...args].join(' '));
    allOptions.push(options);
    fake.emit('call');
    return new Promise((resolve) => {
      open.push((exitCode) => {
        resolve({ exitCode, signal: undefined, stdout: '', stderr: '' });
      });
    });
  };
  const finish = (exitCode = 0): void => open.shift()?.(exitCode);
  const fake: FakeCommands = Object.assign(new EventEmitter(), { calls, options: allOptions, run, finish });
  return fake;
}

const missing: RunCommand = () => Promise.reject(new HostError('COMMAND_NOT_FOUND', 'missing'));

void t.test('no plymouth, or none that answers: no boot screen', async (t) => {
  openPlymouth(missing).message('nobody reads this');
  const fake = fakeCommands();
  const plymouth = openPlymouth(fake.run);
  plymouth.mode('updates');
  fake.finish(1);
  await Promise.resolve();
  plymouth.message('nobody reads this');
  await new Promise(setImmediate);
  t.same(fake.calls, ['plymouth --ping'], 'and it was not waited for');
});

void t.test('one process at a time, well apart, and only the newest of each kind', async (t) => {
  const awake = setInterval(() => undefined, 60_000); // the boot screen's own timer keeps nobody alive
  t.teardown(() => {
    clearInterval(awake);
  });
  const fake = fakeCommands();
  const plymouth = openPlymouth(fake.run);
  plymouth.mode('updates');
  fake.finish();
  await once(fake, 'call');
  const start = performance.now();
  plymouth.progress(1);
  plymouth.message('Installing a');
  plymouth.progress(2.9);
  plymouth.message('Installing b');
  t.same(fake.calls.slice(1), ['plymouth change-mode --updates'], 'the next waits for the first to end');
  fake.finish();
  await once(fake, 'call');
  t.ok(performance.now() - start >= 245, 'and for its time');
  fake.finish();
  await once(fake, 'call');
  plymouth.message('Installing b');
  fake.finish();
  plymouth.progress(2.1);
  plymouth.progress(3);
  await once(fake, 'call');
  t.same(fake.calls.slice(1), [
    'plymouth change-mode --updates',
    'plymouth system-update --progress=2',
    'plymouth display-message --text=Installing b',
    'plymouth system-update --progress=3',
  ]);
});

void t.test('a boot screen that dies meanwhile disturbs nothing', (t) => {
  let alive = true;
  const run: RunCommand = (file, args) => {
    if (!alive) return missing(file, args);
    alive = false;
    return Promise.resolve({ exitCode: 0, signal: undefined, stdout: '', stderr: '' });
  };
  const plymouth = openPlymouth(run);
  t.doesNotThrow(() => {
    plymouth.progress(-5);
  });
  t.end();
});

void t.test('a line for the kernel carries its priority and is one line', (t) => {
  const path = join(t.testdir({ kmsg: '' }), 'kmsg');
  writeKernelLog('claimed\nthe update', 'notice', path);
  writeKernelLog('lost', 'emergency', path);
  t.equal(readFileSync(path, 'utf8'), '<5>offline-update: claimed the update\n<0>offline-update: lost\n');
  t.end();
});

void t.test('without a kernel log nothing happens', (t) => {
  const folder = t.testdir({});
  t.doesNotThrow(() => {
    writeKernelLog('x', 'error', join(folder, 'absent', 'kmsg'));
  });
  mkdirSync(join(folder, 'kmsg'));
  t.doesNotThrow(() => {
    writeKernelLog('x', 'error', join(folder, 'kmsg'));
  });
  t.end();
});

function collector(): { output: Writable; text: () => string } {
  let text = '';
  const output = new Writable({
    write(chunk: Buffer, _, done) {
      text += chunk.toString();
      done();
    },
  });
  return { output, text: () => text };
}

void t.test('lines carry their priority for the journal alone', (t) => {
  const journal = collector();
  const terminal = collector();
  systemLog({ run: missing, output: journal.output, toJournal: true }).write('warning', 'one\ntwo');
  systemLog({ run: missing, output: terminal.output, toJournal: false }).write('warning', 'one');
  systemLog({ run: missing, output: terminal.output }).write('error', 'two');
  t.equal(journal.text(), '<4>one\n<4>two\n');
  t.equal(terminal.text(), 'one\ntwo\n');
  t.end();
});

void t.test('an entry goes to the journal with its id and fields', async (t) => {
  const fake = fakeCommands();
  const { output, text } = collector();
  const sent = systemLog({ run: fake.run, output, toJournal: true }).entry({
    messageId: '5f4d',
    message: 'Update reverted:\nfailed',
    priority: 'error',
    fields: { UPDATE_ID: 'u1' },
  });
  fake.finish();
  await sent;
  t.same(fake.calls, ['logger --journald']);
  t.equal(
    fake.options[0]?.input,
    'MESSAGE=Update reverted: failed\nMESSAGE_ID=5f4d\nPRIORITY=3\nSYSLOG_IDENTIFIER=offline-update\nUPDATE_ID=u1\n',
  );
  t.equal(text(), '');
});

void t.test('an entry that the journal does not take becomes a line', async (t) => {
  const { output, text } = collector();
  const log = systemLog({ run: missing, output, toJournal: false });
  await log.entry({ messageId: '5f4d', message: 'Update reverted', priority: 'error' });
  t.equal(text(), 'Update reverted\n');
});
