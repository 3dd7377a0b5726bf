/** Success is proven, never an exit status alone (invariant 9). */
import { UpdateError } from '../update/errors.js';
import type { Finding } from '../update/finding.js';
import type { Attempt } from './attempt.js';
import { syncDisks } from './sync-disks.js';

/** Errors: `VERIFY_FAILED` with every finding in its message. */
export async function verify({ ports, plan, update, syncs }: Attempt): Promise<void> {
  void ports.wakeLogin();
  // The disks work while apt looks; what is written after this is synced by the commit.
  const syncing = syncs === 'suppressed' ? syncDisks(ports) : undefined;
  const [found, whyNodeFails] = await Promise.all([
    ports.payload.verify(plan.payload),
    ports.whyNodeFails(),
    syncing,
  ]);
  const findings = whyNodeFails === undefined ? found : [...found, nodeFails(whyNodeFails)];
  for (const { check, evidence } of findings) {
    await update.journal.append({ note: 'finding', check, message: evidence });
  }
  refuseUnproven(findings);
}

function nodeFails(evidence: string): Finding {
  return { check: 'node', severity: 'block', evidence, remedy: 'apt-get install --reinstall nodejs' };
}

/** Errors: as `verify`. */
export function refuseUnproven(findings: readonly Finding[]): void {
  const blocks = findings.filter(({ severity }) => severity === 'block');
  if (blocks.length === 0) return;
  throw new UpdateError('VERIFY_FAILED', blocks.map(({ evidence }) => evidence).join('; '), {
    hint: 'dpkg --audit',
  });
}
