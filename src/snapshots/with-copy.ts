/**
 * The provider of a machine: snapshots where the root has them, else a copy, if the policy wants one (`otherwise`, by
 * default "copy"). A fallback is known by the name of the provider that made it.
 */
import { UpdateError } from '../update/errors.js';
import type { SnapshotProvider, WithoutSnapshots } from './snapshot-provider.js';

export function withCopy(snapshots: SnapshotProvider, copy: SnapshotProvider): SnapshotProvider {
  const both = [snapshots, copy];
  const of = (name: string): SnapshotProvider => both.find((each) => each.name === name) ?? snapshots;
  const choose = async (otherwise: WithoutSnapshots = 'copy') => {
    const support = await snapshots.probe();
    if (support.usable || otherwise === 'resume') return { provider: snapshots, support };
    const instead = await copy.probe();
    const reason = `${instead.reason} (no snapshots: ${support.reason})`;
    return { provider: copy, support: { ...instead, reason } };
  };
  /** Of the last probe: who arms right after it need not ask all of it again. */
  let chosen: SnapshotProvider | undefined;
  return {
    name: snapshots.name,
    async probe(otherwise) {
      const { provider, support } = await choose(otherwise);
      chosen = support.usable ? provider : undefined;
      return support;
    },
    async armFallback(id, options) {
      const provider = chosen ?? (await choose(options?.otherwise)).provider;
      chosen = undefined;
      return provider.armFallback(id, options);
    },
    commit: (fallback, when) => of(fallback.provider).commit(fallback, when),
    revert: (fallback, id, keepAs) => of(fallback.provider).revert(fallback, id, keepAs),
    collect: (mark) => of(mark.provider).collect(mark),
    list: async () => (await Promise.all(both.map((each) => each.list()))).flat(),
    sizeOf: async (fallback) => of(fallback.provider).sizeOf?.(fallback),
    async prune(keep, minimumFreePercent) {
      for (const each of both) await each.prune(keep, minimumFreePercent);
    },
    async settled() {
      for (const each of both) await each.settled?.();
    },
    async drill(id) {
      const { provider } = await choose();
      if (provider.drill) return provider.drill(id);
      const message = `there is nothing to rehearse: the way back is by ${provider.name}, which a drill cannot show`;
      throw new UpdateError('SNAPSHOT_UNAVAILABLE', message, { hint: 'offline-update doctor' });
    },
  };
}
