/** The names of the subvolumes that are ours: `<name of the root>.offline-update-<id>`, and nothing else is ever removed. */
import { UPDATE_ID } from '../../update/update-id.js';

const INFIX = '.offline-update-';

/** The other root of an update: first the fallback, from the exchange on the root that is being updated. */
export function otherName(root: string, id: string): string {
  const bare = root.split('/').at(-1) ?? root;
  return `${bare.replace(/\.offline-update-.*$/, '')}${INFIX}${id}`;
}

/** The update that a subvolume of ours belongs to; undefined for those of anybody else. */
export function updateOf(name: string): string | undefined {
  const at = name.indexOf(INFIX);
  const id = name.slice(at + INFIX.length);
  return at > 0 && !name.includes('/') && UPDATE_ID.test(id) ? id : undefined;
}
