import {
  chmodSync,
  chownSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  appendFileSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { fileSystem } from '../../src/host/file-system.js';
import type { UpdateErrorCode } from '../../src/update/errors.js';
import { planHash, planText, type Plan } from '../../src/update/plan.js';
import { readStaged, sealStage, verifyStage } from '../../src/update/stage.js';
import { emptyPlan } from '../fixtures/empty-plan.js';

interface Sealed {
  stage: string;
  at: (path: string) => string;
  hash: string;
  plan: Plan;
}

async function sealed(t: Test): Promise<Sealed> {
  const stage = join(t.testdir({}), 'system-update');
  mkdirSync(stage, { mode: 0o700 });
  const at = (path: string) => join(stage, path);
  for (const folder of ['packages', 'packages/partial', 'lists']) mkdirSync(at(folder), { mode: 0o700 });
  writeFileSync(at('packages/one_2.0_all.deb'), 'one 2.0', { mode: 0o600 });
  writeFileSync(at('packages/two_1%3a2.0_all.deb'), 'two 2.0, longer', { mode: 0o600 });
  writeFileSync(at('packages/lock'), '', { mode: 0o640 });
  writeFileSync(at('lists/index_Packages'), 'Package: one\n', { mode: 0o600 });
  const plan = emptyPlan({ files: await sealStage(fileSystem, stage) });
  const text = planText(plan);
  writeFileSync(at('plan.json'), text, { mode: 0o600 });
  return { stage, at, hash: planHash(text), plan };
}

void t.test('a stage that is as it was sealed gives its plan', async (t) => {
  const { stage, hash, plan } = await sealed(t);
  t.strictSame(await verifyStage(fileSystem, stage, hash), plan);
  t.strictSame(
    plan.files.map(({ path, sizeBytes }) => [path, sizeBytes]),
    [
      ['lists/index_Packages', 13],
      ['packages/one_2.0_all.deb', 7],
      ['packages/two_1%3a2.0_all.deb', 15],
    ],
  );
  t.strictSame(await readStaged(fileSystem, stage), { id: plan.id, hash, text: planText(plan) });
  t.equal(await readStaged(fileSystem, `${stage}.nowhere`), undefined);
});

void t.test('what is known from the writing is not read again, all else is hashed', async (t) => {
  const { stage, plan } = await sealed(t);
  const known = new Map([['packages/one_2.0_all.deb', 'f'.repeat(64)]]);
  t.strictSame(
    await sealStage(fileSystem, stage, known),
    plan.files.map((file) => ({ ...file, sha256: known.get(file.path) ?? file.sha256 })),
  );
});

const faults: [string, UpdateErrorCode, RegExp, (s: Sealed) => void][] = [
  [
    'a changed byte',
    'STAGE_TAMPERED',
    /content of packages\/one/,
    ({ at }) => {
      writeFileSync(at('packages/one_2.0_all.deb'), 'ONE 2.0');
    },
  ],
  [
    'a longer file',
    'STAGE_TAMPERED',
    /packages\/one/,
    ({ at }) => {
      appendFileSync(at('packages/one_2.0_all.deb'), '+');
    },
  ],
  [
    'a shorter file',
    'STAGE_TRUNCATED',
    /has 3 bytes, the plan says 7/,
    ({ at }) => {
      truncateSync(at('packages/one_2.0_all.deb'), 3);
    },
  ],
  [
    'a missing file',
    'STAGE_FILE_MISSING',
    /packages\/one_2.0_all.deb is missing/,
    ({ at }) => {
      rmSync(at('packages/one_2.0_all.deb'));
    },
  ],
  [
    'two files swapped',
    'STAGE_SWAPPED',
    /holds the content of packages\//,
    ({ at }) => {
      renameSync(at('packages/one_2.0_all.deb'), at('x'));
      renameSync(at('packages/two_1%3a2.0_all.deb'), at('packages/one_2.0_all.deb'));
      renameSync(at('x'), at('packages/two_1%3a2.0_all.deb'));
    },
  ],
  [
    'a file that nobody planned',
    'STAGE_UNEXPECTED_FILE',
    /packages\/evil.deb is in the stage/,
    ({ at }) => {
      writeFileSync(at('packages/evil.deb'), 'evil', { mode: 0o600 });
    },
  ],
  [
    'something in the lock file of apt',
    'STAGE_UNEXPECTED_FILE',
    /packages\/lock/,
    ({ at }) => {
      writeFileSync(at('packages/lock'), 'evil');
    },
  ],
  [
    'a symlink in place of a file',
    'STAGE_SYMLINK',
    /one_2.0_all.deb is a symbolic link/,
    ({ at }) => {
      renameSync(at('packages/one_2.0_all.deb'), at('../elsewhere'));
      symlinkSync('../../elsewhere', at('packages/one_2.0_all.deb'));
    },
  ],
  [
    'a fifo',
    'STAGE_NOT_A_FILE',
    /neither a file nor a folder/,
    ({ at }) => {
      execFileSync('mkfifo', ['-m', '600', at('packages/fifo')]);
    },
  ],
  [
    'a world-writable file',
    'STAGE_WORLD_WRITABLE',
    /one_2.0_all.deb can be written by others/,
    ({ at }) => {
      chmodSync(at('packages/one_2.0_all.deb'), 0o606);
    },
  ],
  [
    'a stage that others may enter',
    'STAGE_MODE',
    /has mode 711/,
    ({ stage }) => {
      chmodSync(stage, 0o711);
    },
  ],
  [
    'a stage that is a symlink',
    'STAGE_SYMLINK',
    /is a symbolic link/,
    ({ stage }) => {
      renameSync(stage, `${stage}.real`);
      symlinkSync(`${stage}.real`, stage);
    },
  ],
  [
    'no stage',
    'STAGE_MISSING',
    /is not there/,
    ({ stage }) => {
      rmSync(stage, { recursive: true });
    },
  ],
  [
    'a changed plan',
    'PLAN_TAMPERED',
    /not the one that was armed/,
    ({ at }) => {
      appendFileSync(at('plan.json'), '\n');
    },
  ],
  [
    'no plan',
    'PLAN_MISSING',
    /holds no plan/,
    ({ at }) => {
      rmSync(at('plan.json'));
    },
  ],
];

for (const [fault, code, message, make] of faults) {
  void t.test(`invariant 7: ${fault} is refused as ${code}`, async (t) => {
    const it = await sealed(t);
    make(it);
    await t.rejects(verifyStage(fileSystem, it.stage, it.hash), {
      code,
      message,
      hint: 'offline-update prepare',
    });
  });
}

void t.test(
  "invariant 7: another user's file is refused as STAGE_OWNER",
  { skip: process.getuid?.() === 0 ? false : 'only root can give a file away' },
  async (t) => {
    const { at, stage, hash } = await sealed(t);
    chownSync(at('packages/one_2.0_all.deb'), 65534, 65534);
    await t.rejects(verifyStage(fileSystem, stage, hash), { code: 'STAGE_OWNER' });
  },
);
