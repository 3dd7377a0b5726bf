import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { durableFiles } from '../../../../src/host/durable-files.js';
import { fileSystem } from '../../../../src/host/file-system.js';
import {
  leftoversSince,
  recordLeftovers,
  type LeftoverPorts,
} from '../../../../src/payloads/packages/apt/conffile-leftovers.js';
import { packagesPlan } from '../../../fixtures/packages-plan.js';

const plan = packagesPlan([
  {
    name: 'a',
    architecture: 'all',
    action: 'upgrade',
    from: '1',
    to: '2',
    automatic: false,
    file: 'packages/a.deb',
    sizeBytes: 1,
    sha256: '0'.repeat(64),
  },
]);

/** One configuration file, with a leftover of an earlier update beside it. */
function machine(t: Test): LeftoverPorts & { record: string } {
  const root = t.testdir({ etc: { 'a.conf': '', 'a.conf.dpkg-old': '' } });
  const stdout = `\n /etc/a.conf ${'0'.repeat(32)}\n`;
  return {
    runCommand: () => Promise.resolve({ exitCode: 0, signal: undefined, stdout, stderr: '' }),
    files: fileSystem,
    durable: durableFiles(fileSystem),
    root,
    record: join(root, 'conffiles.json'),
  };
}

void t.test(
  'what lay there before the first attempt is no leftover of this update, later attempts included',
  async (t) => {
    const ports = machine(t);
    const { record, root } = ports;
    await recordLeftovers(ports, plan, record);
    writeFileSync(join(root, 'etc/a.conf.dpkg-dist'), '');
    await recordLeftovers(ports, plan, record);
    t.strictSame(await leftoversSince(ports, plan, record), [
      { path: '/etc/a.conf', leftover: '/etc/a.conf.dpkg-dist' },
    ]);
  },
);

void t.test('a record of which a power cut left a part, or nothing, is made anew', async (t) => {
  const ports = machine(t);
  const { record } = ports;
  await recordLeftovers(ports, plan, record);
  const whole = readFileSync(record, 'utf8');
  for (const length of [0, 1, whole.length - 3]) {
    writeFileSync(record, whole.slice(0, length));
    await recordLeftovers(ports, plan, record);
    t.equal(readFileSync(record, 'utf8'), whole, `${length} bytes were left`);
  }
});
