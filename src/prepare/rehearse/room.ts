/**
 * Where a rehearsal may write, and how much: memory if half of what is available is enough, else the disk that holds
 * our own state. Undefined when neither has the room.
 */
import type { PayloadPlan } from '../../update/plan.js';
import { unpackedBytes } from '../../update/unpacked-bytes.js';

export interface Room {
  storage: 'memory' | 'disk';
  sizeBytes: number;
}

export interface RoomFacts {
  availableMemoryBytes: number;
  freeDiskBytes: number;
}

const MEBIBYTE = 1024 * 1024;
/** An initramfs, the package database, logs. */
const MARGIN_BYTES = 384 * MEBIBYTE;
/** Of the disk, for the running system. */
export const RESERVE_BYTES = 128 * MEBIBYTE;

export function bytesToWrite({ changes }: PayloadPlan): number {
  return unpackedBytes(changes) + MARGIN_BYTES;
}

export function roomFor(plan: PayloadPlan, facts: RoomFacts): Room | undefined {
  const needed = bytesToWrite(plan);
  const memory = Math.floor(facts.availableMemoryBytes / 2);
  if (needed <= memory) return { storage: 'memory', sizeBytes: memory };
  return diskRoom(facts, needed);
}

/** Also for what has turned out to need more memory than there is. */
export function diskRoom({ freeDiskBytes }: RoomFacts, neededBytes: number): Room | undefined {
  const sizeBytes = freeDiskBytes - RESERVE_BYTES;
  return sizeBytes >= neededBytes ? { storage: 'disk', sizeBytes } : undefined;
}
