import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { cachedFolder } from './cache.js';
import { command } from './command.js';
import type { Deb } from './deb-builder.js';
import { LaboratoryError } from './laboratory-error.js';
import type { Layer } from './machine.js';
import { Machine } from './machine.js';

const recipeVersion = 2;
const newer = '+lab1';
const database = '/var/lib/dpkg';

/**
 * Packs packages that a layer has installed (nodejs, systemd, libc6, ...) again, as they are but of the next version
 * (`257.9-1` -> `257.9-1+lab1`) and with one more file, so that they can be upgraded for real without a network. Packages that depend on exactly
 * the old version of one of them come along.
 */
export async function repackedPackages(layer: Layer, names: readonly string[]): Promise<Deb[]> {
  const recipe = { recipeVersion, folders: layer.folders, names };
  const folder = await cachedFolder('repacked', 'debs', recipe, async (building) => {
    const machine = await Machine.on(layer);
    try {
      const installed = parseStatus(await machine.read(`${database}/status`));
      const group = withDependents(installed, names);
      for (const stanza of group) await repack(machine, stanza, group, building);
    } finally {
      await machine.dispose();
    }
  });
  const files = (await readdir(folder)).sort();
  return Promise.all(files.map((name) => debFromFile(join(folder, name))));
}

/** A package file as a repository lists it. */
export async function debFromFile(path: string): Promise<Deb> {
  const { stdout } = await command(['dpkg-deb', '--field', path]);
  const content = await readFile(path);
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(stdout)?.[1] ?? '';
  const spec = { name: field('Package'), version: field('Version'), architecture: field('Architecture') };
  const sha256 = createHash('sha256').update(content).digest('hex');
  const sizeBytes = content.length;
  return { spec, fileName: basename(path), control: `${stdout.trimEnd()}\n`, content, sizeBytes, sha256 };
}

type Stanza = ReadonlyMap<string, string>;

function parseStatus(text: string): Map<string, Stanza> {
  const stanzas = text.split('\n\n').filter((each) => each.includes('Status: install ok installed'));
  return new Map(
    stanzas.map((each) => {
      const fields = each.split(/\n(?=\S)/).map((field): [string, string] => {
        const colon = field.indexOf(':');
        return [field.slice(0, colon).trim(), field.slice(colon + 1).trim()];
      });
      const stanza = new Map(fields);
      return [stanza.get('Package') ?? '', stanza];
    }),
  );
}

/** The packages of these names, and, again and again, those that depend on exactly the version of one of them. */
function withDependents(installed: ReadonlyMap<string, Stanza>, names: readonly string[]): Stanza[] {
  const group = new Map<string, Stanza>();
  const pending = [...names];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const stanza = installed.get(name);
    if (!stanza) throw new LaboratoryError(`${name} is not installed`);
    if (group.has(name)) continue;
    group.set(name, stanza);
    for (const [other, theirs] of installed) {
      const needs = `${theirs.get('Depends') ?? ''}, ${theirs.get('Pre-Depends') ?? ''}`;
      if (needs.split(/[,|]\s*/).some((each) => each.trim() === exactly(stanza))) pending.push(other);
    }
  }
  return [...group.values()];
}

function exactly(stanza: Stanza): string {
  return `${stanza.get('Package') ?? ''} (= ${stanza.get('Version') ?? ''})`;
}

async function repack(
  machine: Machine,
  stanza: Stanza,
  group: readonly Stanza[],
  folder: string,
): Promise<void> {
  const name = stanza.get('Package') ?? '';
  const architecture = stanza.get('Architecture') ?? '';
  const info = machine.path(`${database}/info`);
  const owned = (await readdir(info)).filter((each) =>
    each.replace(`:${architecture}.`, '.').startsWith(`${name}.`),
  );
  const list = owned.find((each) => each.endsWith('.list'));
  if (list === undefined) throw new LaboratoryError(`no file list of ${name}`);
  const stage = join(folder, 'stage');
  await mkdir(join(stage, 'DEBIAN'), { recursive: true });
  const paths = (await readFile(join(info, list), 'utf8'))
    .split('\n')
    .filter((path) => path !== '' && path !== '/.');
  const input = paths
    .filter((path) => machine.exists(path))
    .map((path) => `.${path}\n`)
    .join('');
  const copy = `tar --create --no-recursion --files-from=- | tar --extract --preserve-permissions --directory='${stage}'`;
  await command(['sh', '-c', copy], { cwd: machine.root, input });
  for (const each of owned) {
    const control = each.slice(each.lastIndexOf('.') + 1);
    if (control !== 'list')
      await command(['cp', '--archive', join(info, each), join(stage, 'DEBIAN', control)]);
  }
  await writeFile(join(stage, 'DEBIAN/control'), controlOf(stanza, group));
  // Tells the files of both versions apart, which are the same but for this one.
  await mkdir(join(stage, 'usr/share/repacked'), { recursive: true });
  await writeFile(join(stage, 'usr/share/repacked', name), `${stanza.get('Version') ?? ''}${newer}\n`);
  await command(['dpkg-deb', '-Znone', '--build', stage, folder]);
  await rm(stage, { recursive: true });
}

function controlOf(stanza: Stanza, group: readonly Stanza[]): string {
  const ofDpkg = ['Status', 'Conffiles', 'Config-Version'];
  const lines = [...stanza].flatMap(([field, value]) => {
    if (ofDpkg.includes(field)) return [];
    if (field === 'Version') return [`Version: ${value}${newer}\n`];
    if (field !== 'Depends' && field !== 'Pre-Depends') return [`${field}: ${value}\n`];
    const bumped = group.reduce(
      (text, each) => text.replaceAll(exactly(each), `${exactly(each).slice(0, -1)}${newer})`),
      value,
    );
    return [`${field}: ${bumped}\n`];
  });
  return lines.join('');
}
