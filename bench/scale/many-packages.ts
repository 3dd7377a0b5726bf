/**
 * Machines with thousands of packages, made in a second: what dpkg would have written of an install is written at once.
 * (dpkg itself takes minutes for them.)
 */
import { createHash } from 'node:crypto';
import { mkdir, appendFile, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  debOf,
  fixturePackages,
  putRepository,
  tinyPackages,
  version2Debs,
  type DebSpec,
  type Machine,
} from '../../test/laboratory/laboratory.js';

/** Version 1 of so many small packages is installed, version 2 is on offer, and apt knows of it. */
export async function withManyPackages(machine: Machine, count: number): Promise<void> {
  const names = tinyPackages(count);
  const specs = names.flatMap((name) => fixturePackages.get(name)?.v1 ?? []);
  const stanzas: string[] = [];
  for (const spec of specs) stanzas.push(await placeFiles(machine, spec));
  const status = machine.path('/var/lib/dpkg/status');
  if (!(await readFile(status, 'utf8')).endsWith('\n\n')) await appendFile(status, '\n');
  await appendFile(status, stanzas.join(''));
  await putRepository(machine, version2Debs(names));
  await machine.run('apt-get update --quiet=2');
}

/** Returns the stanza of dpkg's status file. */
async function placeFiles(machine: Machine, spec: DebSpec): Promise<string> {
  const files = Object.entries(spec.files ?? {});
  const folders = new Set(files.flatMap(([path]) => parentsOf(path)));
  for (const [path, text] of files) {
    await mkdir(dirname(machine.path(path)), { recursive: true });
    await writeFile(machine.path(path), text);
  }
  const list = ['/.', ...[...folders].sort(), ...files.map(([path]) => path)];
  const info = machine.path(`/var/lib/dpkg/info/${spec.name}`);
  await writeFile(`${info}.list`, `${list.join('\n')}\n`);
  const sums = files.map(([path, text]) => `${md5(text)}  ${path.slice(1)}\n`);
  await writeFile(`${info}.md5sums`, sums.join(''));
  return `${debOf(spec).control.replace('\n', '\nStatus: install ok installed\n')}\n`;
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

function parentsOf(path: string): string[] {
  const parent = dirname(path);
  return parent === '/' ? [] : [...parentsOf(parent), parent];
}
