/** Success is proven, never an exit status alone (invariant 9). */
import { UpdateError } from '../update/errors.js';
import type { Finding } from '../update/finding.js';
import type { Attempt } from './attempt.js';
import type { Ports } from './ports.js';
import { syncDisks } from './sync-disks.js';

/** Errors: `VERIFY_FAILED` with every finding in its message. */
export async function verify(attempt: Attempt): Promise<void> {
  const { ports, plan, syncs } = attempt;
  void ports.wakeLogin();
  // The disks work while apt looks; what is written after this is synced by the commit.
  const syncing = syncs === 'suppressed' ? syncDisks(ports) : undefined;
  const [found, node] = await Promise.all([ports.payload.verify(plan.payload), lookAtNode(ports), syncing]);
  await prove(attempt, [...found, ...node]);
}

/** What verify has seen of Node.js, once more: hooks that have run since are the administrator's own. Errors: as `verify`. */
export async function verifyNode(attempt: Attempt): Promise<void> {
  await prove(attempt, await lookAtNode(attempt.ports));
}

async function lookAtNode({ whyNodeFails }: Ports): Promise<Finding[]> {
  const evidence = await whyNodeFails();
  if (evidence === undefined) return [];
  return [{ check: 'node', severity: 'block', evidence, remedy: 'apt-get install --reinstall nodejs' }];
}

async function prove({ update }: Attempt, findings: readonly Finding[]): Promise<void> {
  for (const { check, evidence } of findings) {
    await update.journal.append({ note: 'finding', check, message: evidence });
  }
  refuseUnproven(findings);
}

/** Errors: as `verify`. */
export function refuseUnproven(findings: readonly Finding[]): void {
  const blocks = findings.filter(({ severity }) => severity === 'block');
  if (blocks.length === 0) return;
  throw new UpdateError('VERIFY_FAILED', blocks.map(({ evidence }) => evidence).join('; '), {
    hint: 'dpkg --audit',
  });
}
