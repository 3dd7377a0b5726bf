import { mkdirSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { fileSystem } from '../../src/host/file-system.js';
import type { JournalEntry } from '../../src/update/events.js';
import { pathsBelow } from '../../src/update/paths.js';
import { planHash, planText } from '../../src/update/plan.js';
import type { Attempt } from '../../src/update-service/attempt.js';
import { check } from '../../src/update-service/check.js';
import { emptyPlan } from '../fixtures/empty-plan.js';
import { unusedPayload, unusedPorts } from '../fixtures/service-ports.js';
import { noSnapshots } from '../../src/snapshots/none.js';
import type { Finding } from '../../src/update/finding.js';

/** An attempt on a stage as it was sealed, in which the payload finds this; the rows that it writes. */
function attempt(root: string, found: Finding[]): { attempt: Attempt; rows: JournalEntry[] } {
  const paths = pathsBelow(root);
  const plan = emptyPlan();
  const text = planText(plan);
  mkdirSync(paths.stage, { mode: 0o700, recursive: true });
  writeFileSync(`${paths.stage}/plan.json`, text, { mode: 0o600 });
  const rows: JournalEntry[] = [];
  const append = (row: JournalEntry): Promise<void> => {
    rows.push(row);
    return Promise.resolve();
  };
  const payload = { ...unusedPayload, preflight: () => Promise.resolve(found) };
  const given = {
    ports: { ...unusedPorts, fs: fileSystem, paths, payload, snapshots: noSnapshots },
    plan,
    expectedPlanHash: planHash(text),
    update: { journal: { append }, paths: { terminalLog: '/term.log' } },
  };
  return { attempt: given as unknown as Attempt, rows };
}

const finding = (id: string, severity: Finding['severity']): Finding => ({
  check: id,
  severity,
  evidence: `what ${id} saw`,
  remedy: `what ${id} advises`,
});

void t.test('what the payload finds in the way is the error of its own name, with its advice', async (t) => {
  for (const [id, code] of [
    ['dpkg-dirty', 'DATABASE_DIRTY'],
    ['lock-held', 'BUSY'],
    ['drift', 'DRIFT'],
  ]) {
    const { attempt: tried, rows } = attempt(t.testdir(), [finding(String(id), 'block')]);
    await t.rejects(check(tried), { code, message: `what ${id} saw`, hint: `what ${id} advises` });
    t.strictSame(rows, []);
  }
});

void t.test(
  'what is in nobody’s way is noted, and the plan that was proven is the one that goes on',
  async (t) => {
    const { attempt: tried, rows } = attempt(t.testdir(), [finding('lock-held', 'warn')]);
    await check(tried);
    t.strictSame(rows, [{ note: 'finding', check: 'lock-held', message: 'what lock-held saw' }]);
    t.strictSame(tried.plan, emptyPlan());
  },
);
