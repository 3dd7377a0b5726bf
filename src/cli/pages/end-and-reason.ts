/** How the update boot ends, and why where `auto` has decided it. */
import type { End } from '../../prepare/end-of.js';

export function endAndReason({ action, because }: End): string {
  return because === null ? action : `${action} (auto: ${because})`;
}
