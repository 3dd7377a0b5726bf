/**
 * Ctrl-C and SIGTERM: says what it means, ends the children (a download leads a session of its own, which no Ctrl-C
 * reaches), then lets the signal do what it does. Returns what takes the watch away.
 */
import { endChildren } from '../host/process-tree.js';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export function onInterrupt(say: () => void): () => void {
  const settle = (): void => {
    for (const signal of signals) process.off(signal, interrupted);
  };
  const interrupted = (signal: NodeJS.Signals): void => {
    settle();
    say();
    void endChildren().finally(() => {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    });
  };
  for (const signal of signals) process.on(signal, interrupted);
  return settle;
}
