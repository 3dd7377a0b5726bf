/**
 * A machine in a folder whose update service is gone: what the protocol had done until then by the model (model/machine.ts),
 * durable or not; then a script of the update boot as it is installed, step by step.
 */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Test } from 'tap';
import { save } from '../../../src/snapshots/copy/save.js';
import { emptySelection } from '../../../src/snapshots/copy/selection.js';
import type { Graph } from '../model/disk.js';
import { freshDisk } from '../model/fresh-disk.js';
import { Machine } from '../model/machine.js';
import { HOOK } from '../model/machine-ports.js';
import { databaseOf } from '../model/stand-in-payload.js';
import { walk } from '../model/paths-on-disk.js';
import { copy, copyPorts, mark, programs as copyPrograms } from './copied-machine.js';
import { fallbacks } from './put-back.js';
import { materialize } from './replay.js';
import { putScripts, scriptIn, type Change, type Script } from '../../fixtures/rooted-scripts.js';
import { lookAt, putPrograms, trace, type Step } from './traced.js';

/**
 * dpkg as the model's package manager: its database is synced, what it puts in place is not. systemctl starts
 * the rescue unit, and else only writes down what it was asked for.
 */
const programs: Record<string, string> = {
  ...copyPrograms,
  dpkg: `set -eu
case " $* " in *' --install '*) ;; *) exit 0 ;; esac
[ ! -e "$LAB_ROOT/dpkg-is-broken" ] || exit 1
for deb; do
  case $deb in *.deb) ;; *) continue ;; esac
  name=$(basename "$deb" .deb)
  cp "$deb" "$LAB_ROOT/usr/share/$name.new"
  mv -T "$LAB_ROOT/usr/share/$name.new" "$LAB_ROOT/usr/share/$name"
done
printf '${databaseOf('new').replaceAll('\n', '\\n')}' >"$LAB_ROOT/var/lib/dpkg/status.new"
sync "$LAB_ROOT/var/lib/dpkg/status.new"
mv -T "$LAB_ROOT/var/lib/dpkg/status.new" "$LAB_ROOT/var/lib/dpkg/status"
sync "$LAB_ROOT/var/lib/dpkg"`,
  systemctl: `case "$*" in
is-failed*) exit 1 ;;
is-system-running*) echo maintenance ;;
*start*rescue.service) exec /bin/sh "$LAB_ROOT/usr/lib/offline-update/rescue" ;;
*) echo "$*" >>"$LAB_ROOT/run/asked" ;;
esac`,
};

export interface DeadService {
  /** The step of the protocol in whose midst it died; see model/effects.ts. */
  diedAt: string;
  /** The copy of what the update replaces: made, and the link that says so. */
  copy?: 'armed' | 'restored';
  /** What else has been so for long. */
  furnish?: (root: string) => void;
  /** Changes of the shell scripts: a mutant. */
  changes?: readonly Change[];
}

export interface Folder {
  root: string;
  scratch: string;
  bin: string;
}

/** All before it is durable: the hooks have run, nothing is installed. */
export const installing = 'run: journal: installing';

/** What the scripts do in that folder, from what was durable when the service died to their end. */
export async function trail(
  t: Test,
  script: Script,
  { diedAt, copy: link, furnish, changes = [] }: DeadService,
): Promise<{ folder: Folder; steps: Step[]; status: number | null; stderr: string }> {
  const outer = t.testdir({ scratch: {}, bin: {} });
  const [root, scratch, bin] = [join(outer, 'root'), join(outer, 'scratch'), join(outer, 'bin')];
  putPrograms(bin, programs);
  const { untouched, durable, now, top } = await protocolUntil(diedAt);
  materialize(untouched, root, top);
  mkdirSync(join(root, 'run'));
  putScripts(root, changes);
  if (link !== undefined) {
    const selection = {
      ...emptySelection(),
      ...{ linked: ['usr/share/alpha', 'usr/share/beta', 'usr/share/kernel'], walked: ['usr'] },
      ...{ copied: ['etc', 'boot', 'var/lib/dpkg'], whole: ['etc', 'boot', 'var/lib/dpkg'] },
    };
    await save(copyPorts(root), join(root, copy), mark, () => Promise.resolve(selection));
    symlinkSync(basename(copy), join(root, fallbacks, link));
  }
  bringFolder(root, untouched, durable, top);
  furnish?.(root);
  // Read at once: a kept look is hard links, and what the service wrote into a file that was there would show in it.
  const begin = { words: ['begin'], look: lookAt(root) };
  bringFolder(root, durable, now, top);
  const env = { LAB_ROOT: root };
  const traced = trace(['/bin/sh', scriptIn(root, script)], { root, scratch, programs, env });
  return { folder: { root, scratch, bin }, ...traced, steps: [begin, ...traced.steps] };
}

/** The disk right before the first change, which a copy is made of; and when the service died. */
async function protocolUntil(
  diedAt: string,
): Promise<{ untouched: Graph; durable: Graph; now: Graph; top: number }> {
  let untouched: Graph = new Map();
  let found: { durable: Graph; now: Graph } | undefined;
  const options = { layout: 'plain', fault: 'none', boots: 0, told: 'nothing', mutant: undefined } as const;
  const machine = new Machine(await freshDisk('plain', HOOK), {
    ...options,
    onChange({ effects, disk }) {
      if (effects.current === installing && !found) untouched = new Map(disk.durable);
      if (effects.current !== diedAt) return;
      found ??= { durable: new Map(disk.durable), now: new Map(disk.graph) };
    },
  });
  await machine.trigger();
  machine.shutDown();
  untouched = new Map(machine.disk.durable);
  if (diedAt === 'armed') return { untouched, durable: untouched, now: untouched, top: machine.root };
  await machine.boot();
  if (found === undefined) throw new Error(`no such step: ${diedAt}`);
  return { untouched, ...found, top: machine.root };
}

/** What differs between two disks, in the folder. */
function bringFolder(root: string, before: Graph, after: Graph, top: number): void {
  const entries = (graph: Graph) =>
    new Map([...walk(graph, top)].map(([path, inode, number]) => [path, { ...inode, number }]));
  const [old, now] = [entries(before), entries(after)];
  for (const [path, { number }] of old) {
    if (now.get(path)?.number !== number) rmSync(join(root, path), { recursive: true, force: true });
  }
  for (const [path, { kind, text, mode, number }] of now) {
    const place = join(root, path);
    const former = old.get(path);
    const isNew = former?.number !== number;
    if (kind === 'folder' && isNew) mkdirSync(place, { mode });
    else if (kind === 'symlink' && isNew) symlinkSync(text, place);
    else if (kind === 'file' && (isNew || former.text !== text)) writeFileSync(place, text, { mode });
  }
}
