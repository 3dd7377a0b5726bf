/**
 * Which packages does apt know as installed automatically? Read from `extended_states`, where `apt-mark auto` keeps
 * it: a tenth of the time that `apt-mark showauto` takes, which reads all package lists for it.
 */
import { join } from 'node:path';
import type { FileSystem } from '../../../host/file-system.js';
import { textOf } from '../../../host/if-there.js';
import { field, parseStanzas } from './control-stanzas.js';

export type IsAutomatic = (name: string, architecture: string) => boolean;

export async function automaticPackages(files: FileSystem, root: string): Promise<IsAutomatic> {
  return parseExtendedStates(await textOf(files, join(root, '/var/lib/apt/extended_states')));
}

export function parseExtendedStates(text: string): IsAutomatic {
  const keys = new Set<string>();
  const names = new Set<string>();
  for (const stanza of parseStanzas(text)) {
    const name = field(stanza, 'Package');
    if (name === undefined || field(stanza, 'Auto-Installed') !== '1') continue;
    keys.add(`${name}:${field(stanza, 'Architecture') ?? ''}`);
    names.add(name);
  }
  // apt files a package of `all` under the machine's own architecture
  return (name, architecture) =>
    architecture === 'all' ? names.has(name) : keys.has(`${name}:${architecture}`);
}
