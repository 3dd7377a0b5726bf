import type { StorageOptions } from './machine-folder.js';
import type { Layer } from './machine.js';
import { Machine } from './machine.js';
import { rootImage } from './root-image.js';

/** A machine on a layer (default: the plain root image) that is gone when the test ends. */
export async function machineFor(
  test: { teardown(action: () => Promise<void>): unknown },
  layer?: Layer,
  options: StorageOptions = {},
): Promise<Machine> {
  const machine = await Machine.on(layer ?? (await rootImage()), options);
  test.teardown(() => machine.dispose());
  return machine;
}
