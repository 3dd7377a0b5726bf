/** Ids such as `20261120T154935-3f2a`: sortable by time (UTC), unique by four random hex digits. */
import { randomBytes } from 'node:crypto';

export const UPDATE_ID = /^\d{8}T\d{6}-[0-9a-f]{4}$/;

export function newUpdateId(now: Date): string {
  const stamp = now.toISOString().replace(/[-:]/g, '').slice(0, 15);
  return `${stamp}-${randomBytes(2).toString('hex')}`;
}
