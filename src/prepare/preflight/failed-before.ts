/** The very same changes failed here before: they would fail again, unless a person knows better. */
import { failedBeforeText } from '../failed-before.js';
import type { Check } from './context.js';

export const FAILED_BEFORE = 'failed-before';

export const failedBefore: Check = {
  id: FAILED_BEFORE,
  async run(context) {
    const { staged, isForced } = context;
    const failure = staged && (await context.failedBefore(staged.plan));
    if (!failure) return [];
    return [
      {
        check: FAILED_BEFORE,
        severity: isForced === true ? 'warn' : 'block',
        evidence: failedBeforeText(failure),
        remedy: `offline-update report ${failure.id}; when its cause is mended: offline-update trigger --force`,
      },
    ];
  },
};
