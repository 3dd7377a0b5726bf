import { chmodSync, lstatSync } from 'node:fs';
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** The files below a root. All paths are those inside the machine whose root it is. */
export class RootFiles {
  constructor(readonly root: string) {}

  /** The path outside the machine of a path inside it. */
  path(inside: string): string {
    return join(this.root, inside);
  }

  /** Replaces a file and makes its folders. The default mode is 0755 for a script (`#!`), else 0644. */
  async write(inside: string, text: string, mode = text.startsWith('#!') ? 0o755 : 0o644): Promise<void> {
    await mkdir(dirname(this.path(inside)), { recursive: true });
    await rm(this.path(inside), { force: true });
    await writeFile(this.path(inside), text, { mode });
    chmodSync(this.path(inside), mode);
  }

  read(inside: string): Promise<string> {
    return readFile(this.path(inside), 'utf8');
  }

  /** Whether the name is there, also as a dangling link. */
  exists(inside: string): boolean {
    return lstatSync(this.path(inside), { throwIfNoEntry: false }) !== undefined;
  }

  /** Makes or replaces the symbolic link `inside`. */
  async link(target: string, inside: string): Promise<void> {
    await mkdir(dirname(this.path(inside)), { recursive: true });
    await rm(this.path(inside), { force: true });
    await symlink(target, this.path(inside));
  }

  async remove(inside: string): Promise<void> {
    await rm(this.path(inside), { recursive: true, force: true });
  }
}
