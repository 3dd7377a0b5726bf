/**
 * Ctrl-C and SIGTERM: says what it means, then lets the signal do what it does. Returns what takes the watch away.
 */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export function onInterrupt(say: () => void): () => void {
  const settle = (): void => {
    for (const signal of signals) process.off(signal, interrupted);
  };
  const interrupted = (signal: NodeJS.Signals): void => {
    settle();
    say();
    process.kill(process.pid, signal);
  };
  for (const signal of signals) process.on(signal, interrupted);
  return settle;
}
