// Makes dist/offline-update_VERSION_all.deb out of packaging/layout.mjs and packaging/deb/, and prints its path.
// Needs dpkg-deb and nothing else. The same commit gives the same bytes: times are those of the last commit (or
// SOURCE_DATE_EPOCH), owners root, modes from the table.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, lutimes, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { files, folders, links, notInstalled } from '../packaging/layout.mjs';
import { buildBundles } from './build.mjs';
import { paperSources } from './paper-sources.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const source = (name) => path.join(root, name);

/** What every Debian package carries besides the table. */
const debianFiles = [
  { from: 'packaging/deb/changelog', to: '/usr/share/doc/offline-update/changelog.gz', mode: 0o644 },
  { from: 'packaging/deb/copyright', to: '/usr/share/doc/offline-update/copyright', mode: 0o644 },
  { from: 'packaging/deb/lintian-overrides', to: '/usr/share/lintian/overrides/offline-update', mode: 0o644 },
];

/** Builds the bundles and the package; returns the absolute path of the .deb. */
export async function buildPackage() {
  process.umask(0o022);
  const { version } = JSON.parse(await readFile(source('package.json'), 'utf8'));
  await checkTables(version);
  await buildBundles();
  const tree = await mkdtemp(path.join(tmpdir(), 'offline-update-deb-'));
  try {
    await chmod(tree, 0o755);
    await fillTree(tree);
    await fillControl(path.join(tree, 'DEBIAN'), version, tree);
    const deb = source(`dist/offline-update_${version}_all.deb`);
    await packTree(tree, deb);
    return deb;
  } finally {
    await rm(tree, { recursive: true, force: true });
  }
}

/** Stops on a unit that nobody installs, and on a version that the Debian changelog does not know. */
async function checkTables(version) {
  const known = new Set([...files.map(({ from }) => from), ...notInstalled]);
  const forgotten = (await readdir(source('units')))
    .map((name) => `units/${name}`)
    .filter((name) => !known.has(name));
  if (forgotten.length > 0)
    throw new Error(`packaging/layout.mjs does not say where ${forgotten.join(', ')} go`);
  const changelog = await readFile(source('packaging/deb/changelog'), 'utf8');
  if (!changelog.startsWith(`offline-update (${version}) `)) {
    throw new Error(
      `packaging/deb/changelog does not begin with version ${version}, which package.json names`,
    );
  }
}

async function fillTree(tree) {
  for (const folder of folders) await mkdir(path.join(tree, folder), { recursive: true });
  const sources = await paperSources();
  for (const { from, to, mode } of [...files, ...debianFiles]) {
    const content = typeof from === 'function' ? from(sources) : await readFile(source(from));
    await put(path.join(tree, to), to.endsWith('.gz') ? gzipSync(content, { level: 9 }) : content, mode);
  }
  for (const { at, target } of links) {
    await mkdir(path.dirname(path.join(tree, at)), { recursive: true });
    await symlink(target, path.join(tree, at));
  }
}

async function fillControl(folder, version, tree) {
  const installed = await listTree(tree);
  const kibibytes = Math.ceil(installed.reduce((sum, { size }) => sum + Math.max(1, size / 1024), 0));
  const control = (await readFile(source('packaging/deb/control'), 'utf8'))
    .replace('@VERSION@', version)
    .replace('@INSTALLED_SIZE@', String(kibibytes));
  await put(path.join(folder, 'control'), control, 0o644);
  await put(
    path.join(folder, 'md5sums'),
    installed.map(({ md5, name }) => `${md5}  ${name}\n`).join(''),
    0o644,
  );
  const conffiles = files.filter(({ conffile }) => conffile).map(({ to }) => `${to}\n`);
  await put(path.join(folder, 'conffiles'), conffiles.join(''), 0o644);
  for (const script of ['postinst', 'prerm', 'postrm']) {
    await put(path.join(folder, script), await readFile(source(`packaging/deb/${script}`)), 0o755);
  }
  await put(path.join(folder, 'triggers'), await readFile(source('packaging/deb/triggers')), 0o644);
}

async function packTree(tree, deb) {
  const epoch = process.env.SOURCE_DATE_EPOCH ?? (await lastChange());
  for (const entry of await readdir(tree, { recursive: true })) {
    await lutimes(path.join(tree, entry), Number(epoch), Number(epoch));
  }
  // One thread: with more of them the compressed bytes depend on the machine.
  const options = ['--root-owner-group', '-Zxz', '--threads-max=1'];
  execFileSync('dpkg-deb', [...options, '--build', tree, deb], {
    env: { ...process.env, SOURCE_DATE_EPOCH: epoch },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** The time of the last commit; of the changelog's last entry where there is no repository (a source archive). */
async function lastChange() {
  try {
    return execFileSync('git', ['-C', root, 'log', '-1', '--format=%ct'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    const changelog = await readFile(source('packaging/deb/changelog'), 'utf8');
    return String(Date.parse(/^ -- .*> {2}(.*)$/m.exec(changelog)[1]) / 1000);
  }
}

async function put(file, content, mode) {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, content);
  await chmod(file, mode);
}

/** The regular files below `tree`, without DEBIAN, in byte order. */
async function listTree(tree) {
  const entries = await readdir(tree, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(tree, path.join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
  return Promise.all(
    names.map(async (name) => {
      const content = await readFile(path.join(tree, name));
      return { name, size: content.length, md5: createHash('md5').update(content).digest('hex') };
    }),
  );
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    console.log(path.relative(process.cwd(), await buildPackage()));
  } catch (error) {
    console.error(`package: ${error.errors ? 'the build failed' : error.message}`);
    process.exitCode = 1;
  }
}
