/**
 * Ctrl-C beside the arming: what is said of it stays true. Interrupted before, it never begins; interrupted from then on,
 * it may be done already.
 */

export interface ArmingWatch {
  /** For TriggerOptions: does not resolve once it was interrupted. */
  onArming: () => Promise<void>;
  /** What to say to the person who interrupts now. */
  interrupt: () => string;
}

/** `again`: what begins it anew. */
export function armingWatch(again: string): ArmingWatch {
  let isArming = false;
  let isInterrupted = false;
  return {
    onArming() {
      if (isInterrupted) return new Promise(() => undefined);
      isArming = true;
      return Promise.resolve();
    },
    interrupt() {
      isInterrupted = true;
      return isArming
        ? 'interrupted: it may be armed or scheduled already\n  next: offline-update status'
        : `interrupted: nothing was armed\n  next: ${again}`;
    },
  };
}
