import t, { type Test } from 'tap';
import type { FileSystem } from '../../../../src/host/file-system.js';
import { baseDrifted, type BasePorts } from '../../../../src/payloads/packages/apt/base-drift.js';
import { decisionInputs } from '../../../../src/payloads/packages/apt/decision-inputs.js';
import { dpkgDatabase, fingerprintOf } from '../../../../src/payloads/packages/apt/dpkg-database.js';
import type { PackagesPlan } from '../../../../src/update/plan.js';
import { memoryFileSystem } from '../../../fixtures/memory-file-system.js';
import { packagesPlan } from '../../../fixtures/packages-plan.js';

const listing = 'ii  alpha:all 1.0\n';
const configuration = '/etc/apt/apt.conf.d/80site';

interface Scene {
  ports: BasePorts;
  files: FileSystem;
  plan: PackagesPlan;
  /** How often dpkg was asked. */
  asked: () => number;
  /** dpkg's answer from now on. */
  answer: (listing: string) => void;
}

/** A machine as it was when apt agreed to the plan. */
async function scene(): Promise<Scene> {
  const files = memoryFileSystem();
  for (const folder of ['/var/lib/dpkg/updates', '/var/lib/apt', '/etc/apt/apt.conf.d']) {
    await files.makeFolder(folder, 0o755);
  }
  await files.createFile('/var/lib/dpkg/status', 'Package: alpha\nVersion: 1.0\n', 0o644);
  await files.createFile(configuration, 'APT::Install-Recommends "true";\n', 0o644);
  let [asked, stdout] = [0, listing];
  const database = dpkgDatabase(() => {
    asked += 1;
    return Promise.resolve({ exitCode: 0, signal: undefined, stdout, stderr: '' });
  }, files);
  const decidedBy = (await decisionInputs(files, '/')) ?? '';
  const plan = packagesPlan([], { baseFingerprint: fingerprintOf(listing), decidedBy });
  return {
    ports: { root: '/', files, database },
    files,
    plan,
    asked: () => asked,
    answer: (changed) => (stdout = changed),
  };
}

async function check(t: Test, { ports, plan, asked }: Scene, wanted: boolean, times: number): Promise<void> {
  t.equal(await baseDrifted(ports, plan), wanted);
  t.equal(asked(), times);
}

void t.test('where nothing was changed, no program is asked', async (t) => {
  await check(t, await scene(), false, 0);
});

void t.test('where another file was changed, dpkg tells whether it concerns a package', async (t) => {
  const machine = await scene();
  await machine.files.appendFile(configuration, 'APT::Install-Suggests "true";\n');
  await check(t, machine, false, 1);
  machine.answer('ii  alpha:all 2.0\n');
  await check(t, machine, true, 2);
});

void t.test('what dpkg has written down and not yet taken into its database counts', async (t) => {
  const machine = await scene();
  await machine.files.createFile('/var/lib/dpkg/updates/0001', 'Package: alpha\nVersion: 2.0\n', 0o644);
  machine.answer('ii  alpha:all 2.0\n');
  await check(t, machine, true, 1);
});

void t.test('one who may not read all of it asks dpkg', async (t) => {
  const machine = await scene();
  machine.ports.files = {
    ...machine.files,
    readFile: (path) =>
      path === configuration
        ? Promise.reject(Object.assign(new Error('EACCES'), { code: 'EACCES' }))
        : machine.files.readFile(path),
  };
  await check(t, machine, false, 1);
});

void t.test('a plan that apt has not agreed to is compared by dpkg', async (t) => {
  const machine = await scene();
  delete machine.plan.decidedBy;
  await check(t, machine, false, 1);
});
