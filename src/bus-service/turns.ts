/** Work that takes turns: one at a time, in the order in which it was asked for. */
export interface Turns {
  /** Nothing else of these runs meanwhile. */
  alone: <T>(work: () => Promise<T>) => Promise<T>;
  /** As `alone`; all who ask before it has begun share one answer, which so is never older than the question. */
  shared: <T>(work: () => Promise<T>) => () => Promise<T>;
}

export function turns(): Turns {
  let last: Promise<unknown> = Promise.resolve();
  const alone: Turns['alone'] = (work) => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };
  return {
    alone,
    shared: <T>(work: () => Promise<T>) => {
      let next: Promise<T> | undefined;
      return () =>
        (next ??= alone(() => {
          next = undefined;
          return work();
        }));
    },
  };
}
