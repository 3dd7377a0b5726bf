import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { CommandResult } from '../../src/host/command.js';
import { fileSystem } from '../../src/host/file-system.js';
import { snapperConfiguration, snapperSnapshot, type SnapperPorts } from '../../src/snapshots/snapper.js';
import { pathsBelow } from '../../src/update/paths.js';

const id = '20261120T154935-3f2a';

function configured(
  t: Test,
  files: Record<string, string>,
  answer: Partial<CommandResult> = {},
): SnapperPorts & { called: string[] } {
  const paths = pathsBelow(t.testdir());
  const folder = join(paths.root, 'etc/snapper/configs');
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const called: string[] = [];
  return {
    paths,
    fs: fileSystem,
    called,
    run(file, args) {
      called.push([file, ...args].join(' '));
      return Promise.resolve({ exitCode: 0, signal: undefined, stdout: '7', stderr: '', ...answer });
    },
  };
}

void t.test('the configuration of / is found by what it says, not by its name', async (t) => {
  const home = '# subvolume to snapshot\nSUBVOLUME="/home"\n';
  t.equal(
    await snapperConfiguration(configured(t, { home, system: 'SUBVOLUME="/"\nFSTYPE="btrfs"\n' })),
    'system',
  );
  t.equal(await snapperConfiguration(configured(t, { a: '#SUBVOLUME="/"\n', b: 'SUBVOLUME=/\n' })), 'b');
  t.equal(await snapperConfiguration(configured(t, { home })), undefined);
  const none = { ...configured(t, {}), paths: pathsBelow('/nowhere') };
  t.equal(await snapperConfiguration(none), undefined);
});

void t.test('a pair carries the id and the algorithm that cleans it up', async (t) => {
  const ports = configured(t, {});
  t.equal(await snapperSnapshot(ports, 'root', id), 7);
  t.equal(await snapperSnapshot(ports, 'root', id, 7), 7);
  const rest = `--print-number --cleanup-algorithm number --userdata offline-update=${id} --description offline-update ${id}`;
  t.strictSame(ports.called, [
    `snapper --no-dbus --config root create --type pre ${rest}`,
    `snapper --no-dbus --config root create --type post --pre-number 7 ${rest}`,
  ]);
});

void t.test('no number, no snapshot', async (t) => {
  for (const answer of [{ exitCode: 1, stderr: 'Unknown config.' }, { stdout: '' }]) {
    const message = `snapper: ${answer.stderr ?? 'no snapshot'}`;
    await t.rejects(snapperSnapshot(configured(t, {}, answer), 'root', id), {
      code: 'SNAPSHOT_FAILED',
      message,
    });
  }
});
