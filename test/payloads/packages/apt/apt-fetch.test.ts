/** The files of a plan on their way into the stage: copied ones by the real file system, and an apt that must not be started. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { runCommand } from '../../../../src/host/command.js';
import { fileSystem, type FileSystem } from '../../../../src/host/file-system.js';
import { fetchPlan } from '../../../../src/payloads/packages/apt/apt-fetch.js';
import { dpkgDatabase } from '../../../../src/payloads/packages/apt/dpkg-database.js';
import type { Progress } from '../../../../src/payloads/payload.js';
import type { PackageChange } from '../../../../src/update/plan.js';
import { defaultPolicy } from '../../../../src/update/policy.js';
import { packagesPlan } from '../../../fixtures/packages-plan.js';

interface Scene {
  stage: { path: string };
  source: (name: string) => string;
  isCopied: (name: string) => boolean;
  /** How often apt was started. */
  downloads: () => number;
  fetch: (on: Progress, signal?: AbortSignal, files?: FileSystem) => Promise<unknown>;
}

/** `local` lie on this machine, `remote` do not. */
function scene(t: Test, local: readonly string[], remote: readonly string[] = []): Scene {
  const root = t.testdir({ pool: {}, stage: {} });
  const stage = { path: join(root, 'stage') };
  const source = (name: string): string => join(root, 'pool', name);
  const fileOf = (name: string): string => `packages/${name}_2_all.deb`;
  const changes = [...local, ...remote].map((name): PackageChange => {
    const sha256 = createHash('sha256').update(name).digest('hex');
    const of = {
      name,
      architecture: 'all',
      action: 'upgrade',
      from: '1',
      to: '2',
      automatic: false,
    } as const;
    return { ...of, file: fileOf(name), sizeBytes: name.length, sha256 };
  });
  for (const name of local) writeFileSync(source(name), name);
  const uris = new Map([
    ...local.map((name) => [fileOf(name), `file:${source(name)}`] as const),
    ...remote.map((name) => [fileOf(name), `http://127.0.0.1:9/${name}`] as const),
  ]);
  mkdirSync(join(stage.path, 'packages'));
  let downloads = 0;
  return {
    stage,
    source,
    isCopied: (name) => existsSync(join(stage.path, fileOf(name))),
    downloads: () => downloads,
    async fetch(on, signal, files = fileSystem) {
      const ports = {
        runCommand,
        files,
        root,
        database: dpkgDatabase(runCommand, files, root),
        startJob: () => {
          downloads += 1;
          throw new Error('apt was started');
        },
      };
      const context = { policy: defaultPolicy, uris, inputs: undefined, stanzas: [] };
      await fetchPlan(ports, context, packagesPlan(changes), stage, on, signal);
    },
  };
}

const names = Array.from({ length: 8 }, (_, at) => `local-${at}`);

void t.test('given up while files are copied: no further one, and apt does not begin', async (t) => {
  const { fetch, isCopied, downloads } = scene(t, names, ['remote']);
  const givenUp = new AbortController();
  const copied: string[] = [];
  const on: Progress = ({ item }) => {
    copied.push(item ?? '');
    givenUp.abort();
  };
  await t.rejects(fetch(on, givenUp.signal), { name: 'AbortError' });
  t.ok(copied.length > 0 && copied.length <= 2, 'but for those that were on their way');
  t.strictSame(names.filter(isCopied).sort(), copied.sort());
  t.equal(downloads(), 0);
});

void t.test('given up before it begins: apt is not started', async (t) => {
  const { fetch, downloads } = scene(t, [], ['remote']);
  await t.rejects(
    fetch(() => undefined, AbortSignal.abort()),
    { name: 'AbortError' },
  );
  t.equal(downloads(), 0);
  await t.rejects(
    fetch(() => undefined),
    { message: 'apt was started' },
  );
});

void t.test('a file that cannot be copied ends the others as well, before it is told', async (t) => {
  const { fetch, source, isCopied } = scene(t, names);
  let running = 0;
  let begun = 0;
  let hasFailed: () => void = () => undefined;
  const failed = new Promise<void>((resolve) => (hasFailed = resolve));
  const files: FileSystem = {
    ...fileSystem,
    async copyFile(from, to) {
      begun += 1;
      running += 1;
      const isFirst = from === source('local-0');
      if (!isFirst) await failed;
      await fileSystem.copyFile(isFirst ? source('missing') : from, to).finally(() => {
        running -= 1;
        hasFailed();
      });
    },
  };
  await t.rejects(
    fetch(() => undefined, undefined, files),
    { code: 'DOWNLOAD_FAILED', message: /local-0 cannot be read/ },
  );
  t.equal(running, 0, 'who holds the lock has let nothing go on');
  t.equal(begun, 2);
  t.strictSame(names.filter(isCopied), ['local-1']);
});
