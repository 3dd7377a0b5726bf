// Builds the programs that are installed, one self-contained CommonJS file each, with their source maps,
// and dist/THIRD-PARTY-NOTICES. Run: node scripts/build.mjs. Fails when a bundle would need a file that an
// update can replace under it.
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { thirdPartyNotices } from './third-party-notices.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** CommonJS, because it starts 7 ms earlier than the same code as an ES module. */
const bundles = [
  { name: 'offline-update', entry: 'src/cli/main.ts', lateImports: 'any' },
  { name: 'generator', entry: 'src/generator/main.ts', lateImports: [] },
  {
    name: 'update-service',
    entry: 'src/update-service/main.ts',
    // The libraries: dbus-next, execa, fs-extra. Like all the rest they are in memory from the start, and run when needed.
    lateImports: ['src/host/bus.ts', 'src/host/command-tree.ts', 'src/host/trees.ts'],
    plugins: [withoutXml()],
  },
];

/** Optional modules of dbus-next: X11 autolaunch and passing of file descriptors. Neither is used, neither is shipped. */
const neverLoaded = ['x11', 'usocket'];

/** dbus-next describes exported objects in XML. The service exports none, and need not read 150 KB for it at each start. */
function withoutXml() {
  return {
    name: 'without-xml',
    setup(bundling) {
      bundling.onResolve({ filter: /^xml2js$/ }, () => ({ path: 'xml2js', namespace: 'without-xml' }));
      bundling.onLoad({ filter: /./, namespace: 'without-xml' }, () => ({
        contents: 'exports.Builder = class {}; exports.Parser = class {};',
      }));
    },
  };
}

/** Bundles all programs; returns the paths of the programs, in the order of the table above. */
export async function buildBundles() {
  await mkdir(path.join(root, 'dist'), { recursive: true });
  const results = await Promise.all(bundles.map(buildOne));
  const inputs = new Set(results.flatMap(({ metafile }) => bundledFiles(metafile)));
  await writeFile(path.join(root, 'dist/THIRD-PARTY-NOTICES'), await thirdPartyNotices(root, inputs));
  return bundles.map((bundle) => path.join(root, outfile(bundle)));
}

/** The files with code in a bundle; what was left out as unused needs no notice. */
function bundledFiles(metafile) {
  return Object.values(metafile.outputs)
    .flatMap(({ inputs }) => Object.entries(inputs))
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([file]) => file);
}

const outfile = (bundle) => `dist/${bundle.name}.cjs`;

async function buildOne(bundle) {
  const result = await build({
    absWorkingDir: root,
    entryPoints: [bundle.entry],
    outfile: outfile(bundle),
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    // Half of what Node has to read at each start; the maps lead a stack trace back.
    minifyWhitespace: true,
    sourcemap: true,
    // The maps are installed for readable stack traces; the sources themselves stay in the source tree.
    sourcesContent: false,
    legalComments: 'eof',
    external: neverLoaded,
    metafile: true,
    plugins: bundle.plugins ?? [],
    logOverride: { 'empty-import-meta': 'error', 'require-resolve-not-external': 'error' },
    logLevel: 'warning',
  });
  const loose = looseEnds(result.metafile, bundle);
  if (loose.length > 0) {
    await rm(path.join(root, outfile(bundle)), { force: true });
    throw new Error(`${outfile(bundle)} is not self-contained: ${loose.join(', ')}`);
  }
  await chmod(path.join(root, outfile(bundle)), 0o755);
  return result;
}

/**
 * What a bundle would load at run time besides the modules built into Node, one line each: an update may replace such a
 * file under the running program. Of modules that are in the bundle only `lateImports` may be imported lazily (`any`: all
 * of them): their code is read with the rest, but first runs in the middle of the update.
 */
export function looseEnds(metafile, { lateImports }) {
  const scripts = Object.entries(metafile.outputs).filter(([name]) => name.endsWith('js'));
  const outside = scripts
    .flatMap(([, output]) => output.imports)
    .filter(({ path: target }) => !isBuiltIn(target) && !neverLoaded.includes(target))
    .map(({ kind, path: target }) => `${kind} of ${target}`);
  const files = scripts.length === 1 ? [] : [`${scripts.length} script files`];
  return [...outside, ...files, ...(lateImports === 'any' ? [] : otherLateImports(metafile, lateImports))];
}

/** In our own code; packages require each other as they please when they are loaded. */
function otherLateImports(metafile, lateImports) {
  return Object.entries(metafile.inputs)
    .filter(([file]) => !file.includes('node_modules/'))
    .flatMap(([file, input]) =>
      input.imports
        .filter(({ kind }) => kind === 'dynamic-import' || kind === 'require-call')
        .filter(({ path: target }) => !lateImports.includes(target))
        .map(({ path: target }) => `lazy import of ${target} in ${file}`),
    );
}

const isBuiltIn = (target) => target.startsWith('node:') || builtinModules.includes(target);

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    for (const file of await buildBundles()) console.log(path.relative(root, file));
  } catch (error) {
    // What esbuild found it has printed itself.
    console.error(`build: ${error.errors ? 'failed' : error.message}`);
    process.exitCode = 1;
  }
}
