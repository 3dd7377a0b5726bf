import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import t from 'tap';
import { runCommand } from '../../src/host/command.js';
import { fileSystem } from '../../src/host/file-system.js';
import type { Note } from '../../src/update/events.js';
import { hookFiles, runHooks } from '../../src/update-service/hooks.js';
import type { Ports } from '../../src/update-service/ports.js';

const ports = { fs: fileSystem, run: runCommand } as Ports;

void t.test('executables are run in byte order; a link to /dev/null masks one', async (t) => {
  const folder = t.testdir({ 'b~': '', 'c.dpkg-old': '', d: 'not executable' });
  for (const name of ['10-b', '10-B', 'b~', 'c.dpkg-old'])
    writeFileSync(join(folder, name), '#!/bin/sh\n', { mode: 0o755 });
  mkdirSync(join(folder, 'folder'));
  symlinkSync('/bin/true', join(folder, '20-link'));
  symlinkSync('/dev/null', join(folder, '30-masked'));
  symlinkSync('nowhere', join(folder, '40-dangling'));
  t.strictSame(
    (await hookFiles(fileSystem, folder)).map((path) => basename(path)),
    ['10-B', '10-b', '20-link', '40-dangling'],
    'a link that leads nowhere was to be a hook, and fails as one',
  );
  t.strictSame(await hookFiles(fileSystem, join(folder, 'none')), []);
});

void t.test('a hook that cannot be run says why', async (t) => {
  const folder = t.testdir({});
  writeFileSync(join(folder, '10-no-interpreter'), '#!/no/such/shell\n', { mode: 0o755 });
  const notes: Note[] = [];
  await t.rejects(
    runHooks(ports, {
      folder,
      timeoutSeconds: 20,
      env: {},
      note(note) {
        notes.push(note);
        return Promise.resolve();
      },
    }),
    { code: 'HOOK_FAILED', message: /^the hook \S+10-no-interpreter could not be run to its end: .*ENOENT/ },
  );
  t.strictSame(notes, []);
});
