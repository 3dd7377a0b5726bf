/** A stage with packages that are not byte for byte the signed ones: sealed as they lie there. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { fileSystem } from '../../src/host/file-system.js';
import { verifyStage } from '../../src/update/stage.js';
import { newOnlineMachine, twoPackages } from '../fixtures/online-machine.js';

const made = 'alpha, version two, but quick to unpack';

async function sealed(machine: ReturnType<typeof newOnlineMachine>) {
  const update = await machine.ports.online.store.current();
  const state = update?.journal.state;
  if (state?.name !== 'prepared') throw new Error('not prepared');
  return verifyStage(fileSystem, machine.paths.stage, state.planHash);
}

void t.test(
  'invariant 7: what is sealed is the file in the stage; the plan keeps what was signed',
  async (t) => {
    const machine = newOnlineMachine(t);
    machine.payload.recompressed.set('alpha', made);
    const { exitCode, stdout, stderr } = await machine.cli('prepare');
    t.equal(exitCode, 0, stderr);
    t.match(stdout, '35 B of packages');
    t.match(stdout, '\n1 package recompressed to be unpacked sooner: 56 B in the stage.\n');
    const { payload, files } = await sealed(machine);
    const [alpha] = payload.changes;
    if (!alpha) throw new Error('nothing is planned');
    t.equal(alpha.sizeBytes, 18);
    t.notSame(alpha.sha256, alpha.recompressed?.sha256);
    t.match(
      files.find(({ path }) => path === alpha.file),
      { sizeBytes: made.length, sha256: alpha.recompressed?.sha256 },
    );
    t.match((await machine.cli('status')).stdout, /recompressed to be unpacked sooner: 56 B in the stage/);
    t.match((await machine.cli('status', '--json')).json(), {
      plan: { downloadBytes: 35, recompressed: { packages: 1, stagedBytes: 56 } },
    });

    const path = join(machine.paths.stage, alpha.file ?? '');
    await writeFile(path, made.replace('quick', 'wrong'));
    await t.rejects(sealed(machine), { code: 'STAGE_TAMPERED' });
    t.match((await machine.cli('trigger', '--json')).json(), { error: { code: 'STAGE_TAMPERED' } });
    await writeFile(path, twoPackages[0]?.content ?? '');
    await t.rejects(sealed(machine), { code: 'STAGE_TRUNCATED' }, 'not even the signed one itself');
  },
);

void t.test(
  'invariant 7: one that changes between its proof and the seal, which does not read it again, is refused by the trigger',
  async (t) => {
    const machine = newOnlineMachine(t);
    machine.payload.recompressed.set('alpha', made);
    machine.payload.beforeDownload = async (name) => {
      if (name !== 'beta') return;
      await writeFile(join(machine.paths.nextStage, 'packages/alpha_2.0_all.deb'), 'something else');
    };
    t.equal((await machine.cli('prepare')).exitCode, 0);
    t.match((await machine.cli('trigger', '--json')).json(), { error: { code: 'STAGE_TAMPERED' } });
    machine.payload.beforeDownload = () => Promise.resolve();
    machine.payload.downloaded = [];
    t.equal((await machine.cli('prepare')).exitCode, 0);
    t.strictSame(machine.payload.downloaded, ['packages/alpha_2.0_all.deb'], 'and not used again');
    t.equal((await machine.cli('trigger')).exitCode, 0);
  },
);

void t.test('a later plan takes it over, with the record of what it was made of', async (t) => {
  const machine = newOnlineMachine(t);
  machine.payload.recompressed.set('alpha', made);
  await machine.cli('prepare');
  machine.payload.downloaded = [];
  machine.payload.packages = [...twoPackages, { name: 'gamma', version: '3', content: 'gamma, new' }];
  t.equal((await machine.cli('prepare')).exitCode, 0);
  t.strictSame(machine.payload.downloaded, ['packages/gamma_3_all.deb']);
  t.match(await readFile(join(machine.paths.stage, 'recompressed.jsonl'), 'utf8'), 'alpha\n');
  t.equal((await sealed(machine)).payload.changes[0]?.recompressed?.sizeBytes, made.length);
});

void t.test('packages that were left as they were signed are named, with the reason', async (t) => {
  const machine = newOnlineMachine(t);
  const payload = await machine.ports.payload();
  const plan: typeof payload.plan = async (request) => ({
    ...(await payload.plan(request)),
    notRecompressed: [{ because: 'no room', packages: ['a', 'b', 'c', 'd', 'e', 'f', 'g'] }],
  });
  machine.ports.payload = () => Promise.resolve({ ...payload, plan });
  const { stdout } = await machine.cli('prepare');
  t.match((await machine.cli('status', '--json')).json(), {
    plan: { notRecompressed: [{ because: 'no room' }] },
  });
  t.match(stdout, '\nLeft as they were signed:\n  a, b, c, d, e and 2 more: no room\n');
  t.match((await machine.cli('report')).stdout, '  a, b, c, d, e and 2 more: no room\n');
});
