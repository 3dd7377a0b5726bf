/**
 * A disk that loses power: what its readers see, and beside it what is proven to be on the platter.
 *
 * Each change is an op of its own. A data op is durable after fsync(2) of its file, an op on names after fsync of a
 * folder whose names it changed, everything after syncfs(2); nothing else is promised. That is weaker than any file
 * system the product meets: ext4, xfs and btrfs keep the order of names, here a power cut may keep any of them
 * (crash-states.ts). A rename or an exchange is one op: each file system keeps it whole.
 *
 * Inodes are immutable records in a map by number, so that a copy of a whole disk is a copy of the map.
 */

export interface Inode {
  kind: 'file' | 'folder' | 'symlink';
  /** Of a file its text, of a link its target. */
  text: string;
  mode: number;
  uid: number;
  gid: number;
  /** As st_dev: of a subvolume its id, of /run `RUN_DEVICE`. */
  device: number;
  names: ReadonlyMap<string, number>;
}

export type Graph = ReadonlyMap<number, Inode>;

export type Op =
  | { kind: 'names'; changes: readonly { folder: number; name: string; to: number | undefined }[] }
  | { kind: 'data'; inode: number; text: string }
  | { kind: 'attributes'; inode: number; change: Partial<Pick<Inode, 'mode' | 'uid' | 'gid'>> };

/** The inode whose names are `top`, the top level of the file system, and `default`, what mounts by default. */
export const SUPERBLOCK = 0;
/** The inode that is mounted as /run, and its device: memory, gone with the power. */
export const RUN = 1;
export const RUN_DEVICE = 2;

export class Disk {
  private now: Map<number, Inode>;
  private safe: Map<number, Inode>;
  private unsafe: Op[] = [];
  private lastInode: number;
  /** Called after each change that a power cut may take away again. */
  onChange: () => void = () => undefined;

  constructor(graph: Graph) {
    this.now = new Map(graph);
    this.safe = new Map(graph);
    this.lastInode = Math.max(...graph.keys());
  }

  /** What readers see. */
  get graph(): Graph {
    return this.now;
  }

  /** What a power cut cannot take away any more. */
  get durable(): Graph {
    return this.safe;
  }

  /** What it can, in the order of happening. */
  get pending(): readonly Op[] {
    return this.unsafe;
  }

  inode(number: number): Inode {
    const inode = this.now.get(number);
    if (inode === undefined) throw new Error(`no inode ${number}`);
    return inode;
  }

  /** A new inode without a name; nobody finds it before it has one. */
  make(inode: Omit<Inode, 'names'>): number {
    this.lastInode += 1;
    const empty = { ...inode, names: new Map<string, number>() };
    this.now.set(this.lastInode, empty);
    this.safe.set(this.lastInode, inode.kind === 'file' ? { ...empty, text: '' } : empty);
    if (inode.kind === 'file' && inode.text !== '') {
      this.apply({ kind: 'data', inode: this.lastInode, text: inode.text });
    }
    return this.lastInode;
  }

  /**
   * A subvolume snapshot, as a folder without a name: its names are those of now, all of them; what is not durable of a
   * file's content is not durable in the copy either. Its number is its id and its device.
   */
  snapshot(folder: number): number {
    const late: Op[] = [];
    const copy = (original: number, device: number | undefined): number => {
      this.lastInode += 1;
      const number = this.lastInode;
      const inode = this.inode(original);
      const names = new Map([...inode.names].map(([name, to]) => [name, copy(to, device ?? number)]));
      const text = this.safe.get(original)?.text ?? '';
      const made = { ...inode, names, text, device: device ?? number };
      this.now.set(number, made);
      this.safe.set(number, made);
      if (text !== inode.text) late.push({ kind: 'data', inode: number, text: inode.text });
      return number;
    };
    const top = copy(folder, undefined);
    for (const op of late) this.apply(op);
    return top;
  }

  apply(op: Op): void {
    applyTo(this.now, op);
    if (this.inode(inodesOf(op)[0] ?? SUPERBLOCK).device === RUN_DEVICE) {
      applyTo(this.safe, op);
      return;
    }
    this.unsafe.push(op);
    this.onChange();
  }

  /** fsync(2) of a file or a folder. */
  sync(inode: number): void {
    this.persist((op) => inodesOf(op).includes(inode));
  }

  /** What a boot begins with: nothing in memory. */
  emptyRun(): void {
    const names = new Map<string, number>();
    for (const graph of [this.now, this.safe]) graph.set(RUN, { ...this.inode(RUN), names });
  }

  /** syncfs(2). */
  syncAll(): void {
    this.persist(() => true);
  }

  /** With an op goes what came before it on the very same names: the later one would be overwritten otherwise. */
  private persist(isMeant: (op: Op) => boolean): void {
    const meant = this.unsafe.map(isMeant);
    for (let at = this.unsafe.length - 1; at >= 0; at -= 1) {
      const op = this.unsafe[at];
      if (op?.kind !== 'names' || !meant[at]) continue;
      for (let before = 0; before < at; before += 1) {
        const other = this.unsafe[before];
        if (other?.kind === 'names' && haveNameInCommon(op, other)) meant[before] = true;
      }
    }
    this.unsafe.forEach((op, at) => {
      if (meant[at]) applyTo(this.safe, op);
    });
    this.unsafe = this.unsafe.filter((_, at) => !meant[at]);
  }
}

export function applyTo(graph: Map<number, Inode>, op: Op): void {
  if (op.kind === 'names') {
    for (const { folder, name, to } of op.changes) {
      const inode = graph.get(folder);
      if (inode === undefined) continue;
      const names = new Map(inode.names);
      if (to === undefined) names.delete(name);
      else names.set(name, to);
      graph.set(folder, { ...inode, names });
    }
    return;
  }
  const inode = graph.get(op.inode);
  if (inode === undefined) return;
  graph.set(op.inode, op.kind === 'data' ? { ...inode, text: op.text } : { ...inode, ...op.change });
}

function inodesOf(op: Op): number[] {
  return op.kind === 'names' ? op.changes.map(({ folder }) => folder) : [op.inode];
}

function haveNameInCommon(a: Extract<Op, { kind: 'names' }>, b: Extract<Op, { kind: 'names' }>): boolean {
  return a.changes.some(({ folder, name }) =>
    b.changes.some((other) => other.folder === folder && other.name === name),
  );
}
