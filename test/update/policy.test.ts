import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { fileSystem } from '../../src/host/file-system.js';
import { pathsBelow, type Paths } from '../../src/update/paths.js';
import { defaultPolicy, readPolicy } from '../../src/update/policy.js';

function configured(t: Test, files: Record<string, string>): Paths {
  const paths = pathsBelow(t.testdir({}));
  mkdirSync(paths.configFolder, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(name === 'config.toml' ? paths.config : join(paths.configFolder, name), text);
  }
  return paths;
}

void t.test('without any file the defaults hold', async (t) => {
  t.strictSame(await readPolicy(fileSystem, pathsBelow(t.testdir({}))), defaultPolicy);
  t.match(defaultPolicy, {
    attempts: 3,
    stallTimeoutSeconds: 900,
    unsignedSources: 'refuse',
    snapshot: 'prefer',
    withoutSnapshots: 'copy',
  });
});

void t.test('later files win key by key, in byte order, and their silence hides nothing', async (t) => {
  const paths = configured(t, {
    'config.toml': 'attempts = 5\nhookTimeoutSeconds = 60\n',
    'b.toml': 'attempts = 2\n',
    'B.toml': 'attempts = 4\naction = "poweroff"\n',
    'c.toml.dpkg-old': 'attempts = 9\n',
  });
  t.strictSame(await readPolicy(fileSystem, paths), {
    ...defaultPolicy,
    attempts: 2,
    hookTimeoutSeconds: 60,
    action: 'poweroff',
  });
});

void t.test('a misspelt key, a wrong value and broken TOML are told by file and key', async (t) => {
  const wrong: [string, RegExp][] = [
    ['stallTimeout = 5\n', /config\.toml is not valid: .*Unrecognized key: "stallTimeout"/],
    ['attempts = 0\n', /Too small: expected number to be >=1\s+→ at attempts/],
    ['unsignedSources = "maybe"\n', /expected one of "refuse"\|"allow"\s+→ at unsignedSources/],
    ['attempts = \n', /config\.toml is not valid/],
  ];
  for (const [text, message] of wrong) {
    const paths = configured(t, { 'config.toml': text });
    await t.rejects(readPolicy(fileSystem, paths), {
      code: 'CONFIG_INVALID',
      message,
      hint: 'man 5 offline-update.toml lists every key',
    });
  }
});

void t.test('a file that is named and cannot be read is told, and no default takes its place', async (t) => {
  const link = configured(t, {});
  symlinkSync('/nowhere/strict.toml', join(link.configFolder, '50-strict.toml'));
  await t.rejects(readPolicy(fileSystem, link), {
    code: 'CONFIG_INVALID',
    message: /50-strict\.toml is not valid: it is a link to \/nowhere\/strict\.toml, which is not there$/,
  });
  const folder = configured(t, {});
  mkdirSync(join(folder.configFolder, '50-strict.toml'));
  await t.rejects(readPolicy(fileSystem, folder), {
    code: 'CONFIG_INVALID',
    message: /50-strict\.toml is not valid: it is a folder$/,
  });
  const masked = configured(t, {});
  symlinkSync('/dev/null', join(masked.configFolder, '50-strict.toml'));
  t.strictSame(await readPolicy(fileSystem, masked), defaultPolicy, 'a link to /dev/null is an empty file');
});
