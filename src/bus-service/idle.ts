/**
 * Tells when nothing was asked for a while. A service that is started by the bus ends then: it costs nothing as long as
 * nobody needs it.
 */
export interface IdleWatch {
  /** Work has come in; call what it returns when it is done. */
  began: () => () => void;
  /** Rejects never; resolves when there was no work for the whole time, and `isBusy` said no. */
  idle: Promise<void>;
  /** Resolves when there is no work. */
  drained(): Promise<void>;
  /** No more is told. */
  end(): void;
}

export function idleWatch(seconds: number, isBusy: () => Promise<boolean>): IdleWatch {
  let working = 0;
  let timer: NodeJS.Timeout | undefined;
  let waiting: (() => void)[] = [];
  let ended = false;
  let tell: () => void = () => undefined;
  const idle = new Promise<void>((resolve) => (tell = resolve));
  const wait = (): void => {
    clearTimeout(timer);
    if (ended) return;
    timer = setTimeout(() => {
      void isBusy()
        .catch(() => false)
        .then((busy) => {
          if (working > 0) return;
          if (busy) wait();
          else tell();
        });
    }, seconds * 1000);
  };
  wait();
  return {
    idle,
    began() {
      working += 1;
      clearTimeout(timer);
      return () => {
        working -= 1;
        if (working > 0) return;
        wait();
        for (const resolve of waiting) resolve();
        waiting = [];
      };
    },
    async drained() {
      if (working > 0) await new Promise<void>((resolve) => waiting.push(resolve));
    },
    end() {
      ended = true;
      clearTimeout(timer);
    },
  };
}
