import t from 'tap';
import type { JournalEntry } from '../../src/update/events.js';
import type { Attempt } from '../../src/update-service/attempt.js';
import { verify } from '../../src/update-service/verify.js';
import { emptyPlan } from '../fixtures/empty-plan.js';
import { unusedPayload, unusedPorts } from '../fixtures/service-ports.js';

void t.test('packages that are all there, and a Node.js that does not start: not proven', async (t) => {
  const rows: JournalEntry[] = [];
  const why = '/usr/bin/node changed, and Node.js does not start: EACCES';
  const attempt = {
    plan: emptyPlan(),
    update: { journal: { append: (entry: JournalEntry) => Promise.resolve(void rows.push(entry)) } },
    ports: {
      ...unusedPorts,
      wakeLogin: () => Promise.resolve(),
      payload: { ...unusedPayload, verify: () => Promise.resolve([]) },
      whyNodeFails: () => Promise.resolve(why),
    },
  } as unknown as Attempt;
  await t.rejects(verify(attempt), { code: 'VERIFY_FAILED', message: why });
  t.strictSame(rows, [{ note: 'finding', check: 'node', message: why }]);
});
