/** Whole trees, by fs-extra; loaded when one is removed, which nothing waits for at a start. Never for state, which needs fsync. */
import fsExtra from 'fs-extra';

/** Nothing there is no error. */
export function removeTree(path: string): Promise<void> {
  return fsExtra.remove(path);
}
