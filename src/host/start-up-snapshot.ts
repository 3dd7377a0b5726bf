/**
 * The begin of a program that can be made into a start-up snapshot of Node.js (docs/speed.md). Under `node
 * --build-snapshot` (units/make-warm-start) what it will need is loaded, and nothing is begun: a process that starts from
 * the snapshot begins with `main`.
 */
export function beginOrBeSnapshot(main: () => void, load: () => Promise<unknown>): void {
  if (!process.execArgv.some((word) => word.startsWith('--build-snapshot'))) {
    main();
    return;
  }
  // Not imported: an ordinary start has no use for it. Since Node.js 20.16; without it there is no snapshot.
  process.getBuiltinModule('node:v8').startupSnapshot.setDeserializeMainFunction(main);
  void load();
}
