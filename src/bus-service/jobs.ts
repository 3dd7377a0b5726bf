/**
 * What takes longer than a caller of D-Bus waits: one job at a time, by number. Its end is told to everybody, and never
 * before the call that began it was answered.
 *
 * Errors of `begin`: `BUSY`; those of `check`, after which there is no job.
 */
import { UpdateError } from '../update/errors.js';

export type Operation = 'prepare' | 'trigger';

export interface Job {
  number: number;
  operation: Operation;
}

/** `error`: what was thrown, undefined for none; `result`: what the command would print as JSON. */
export type JobEnd = { error: unknown; result?: undefined } | { error?: undefined; result: object };

export interface Jobs {
  current(): Job | undefined;
  begin(operation: Operation, check: () => Promise<void>, work: () => Promise<object>): Promise<number>;
  /** Resolves when no job runs. */
  settled(): Promise<void>;
  /** No more begin: `BUSY`. One that is under way goes on. */
  close(): void;
}

export interface JobsParts {
  onBegin: () => void;
  onEnd: (job: Job, end: JobEnd) => Promise<void>;
}

export function jobs({ onBegin, onEnd }: JobsParts): Jobs {
  let last = 0;
  let current: Job | undefined;
  let isClosed = false;
  let running: Promise<void> = Promise.resolve();

  const carryOut = async (job: Job, work: () => Promise<object>): Promise<void> => {
    let end: JobEnd;
    try {
      end = { result: await work() };
    } catch (error) {
      end = { error };
    }
    current = undefined;
    // nobody waits for it: an end that cannot be told must not end the service
    await onEnd(job, end).catch(() => undefined);
  };
  return {
    current: () => current,
    settled: () => running,
    close() {
      isClosed = true;
    },
    async begin(operation, check, work) {
      if (isClosed) throw new UpdateError('BUSY', 'the service is just ending', { hint: 'ask again' });
      if (current) {
        throw new UpdateError('BUSY', `${current.operation} is under way here, as job ${current.number}`, {
          hint: 'wait for its signal Finished',
        });
      }
      const job = { number: (last += 1), operation };
      current = job; // before the check, which takes its time
      try {
        await check();
      } catch (error) {
        current = undefined;
        throw error;
      }
      onBegin();
      running = new Promise((resolve) => {
        // after the answer, which leaves once this function has returned
        setImmediate(() => void carryOut(job, work).then(resolve));
      });
      return job.number;
    },
  };
}
