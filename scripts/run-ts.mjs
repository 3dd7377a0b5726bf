// run-ts.mjs FILE [ARGUMENT...]: runs a TypeScript file of this tree. Its own modules are bundled by esbuild (no type
// check, about 50 ms), packages are loaded from node_modules as usual.
import { mkdir, readFile, rm } from 'node:fs/promises';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const [entry, ...args] = process.argv.slice(2);
if (entry === undefined) {
  console.error('usage: node scripts/run-ts.mjs FILE [ARGUMENT...]');
  process.exit(2);
}

// Below node_modules, so that the packages are found from there.
const outfile = path.join(
  root,
  'node_modules/.cache/run-ts',
  `${path.basename(entry, '.ts')}-${process.pid}.mjs`,
);
await mkdir(path.dirname(outfile), { recursive: true });
process.on('exit', () => {
  rmSync(outfile, { force: true });
});
await build({
  entryPoints: [path.resolve(entry)],
  outfile,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  packages: 'external',
  sourcemap: 'inline',
  logLevel: 'warning',
  plugins: [{ name: 'import-meta', setup: keepImportMeta }],
}).catch(async () => {
  await rm(outfile, { force: true });
  process.exit(1);
});

process.argv = [process.argv[0], path.resolve(entry), ...args];
process.setSourceMapsEnabled(true);
await import(pathToFileURL(outfile).href);

/** A module that looks for files beside itself must see where its source is, not where the bundle is. */
function keepImportMeta(builder) {
  builder.onLoad({ filter: /\.ts$/ }, async ({ path: file }) => {
    const source = await readFile(file, 'utf8');
    const contents = source
      .replaceAll('import.meta.dirname', JSON.stringify(path.dirname(file)))
      .replaceAll('import.meta.filename', JSON.stringify(file))
      .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(file).href));
    return { contents, loader: 'ts' };
  });
}
