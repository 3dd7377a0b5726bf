/**
 * What must not outlive this process: mounts, containers, folders. Each is registered as a synchronous undo, which
 * runs, last one first, when it is called, when the process exits, or when SIGINT, SIGTERM or SIGHUP ends it.
 * (A SIGKILL is healed by the sweep of stale machines in `machine-folder.ts`.)
 */
type Undo = () => void;

const undos = new Set<Undo>();
const endingSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
let listening = false;

function undoAll(): void {
  for (const undo of [...undos].reverse()) {
    undos.delete(undo);
    try {
      undo();
    } catch (error) {
      process.stderr.write(`laboratory: clean-up failed: ${String(error)}\n`);
    }
  }
}

function endBySignal(signal: NodeJS.Signals): void {
  undoAll();
  for (const each of endingSignals) process.off(each, endBySignal);
  process.kill(process.pid, signal);
}

/** Registers `undo`; the returned function runs it once and forgets it. */
export function onCleanup(undo: Undo): Undo {
  if (!listening) {
    listening = true;
    process.on('exit', undoAll);
    for (const signal of endingSignals) process.on(signal, endBySignal);
  }
  undos.add(undo);
  return () => {
    if (undos.delete(undo)) undo();
  };
}
