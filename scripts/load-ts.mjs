// Loads a TypeScript module of this tree into this process. Its own modules are bundled by esbuild (no type check, about
// 50 ms), packages are loaded from node_modules as usual.
import { rmSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** Resolves with the exports of `file`, once it has run. Rejects when it does not bundle; esbuild has then said why. */
export async function loadTypeScript(file) {
  // Below node_modules, so that the packages are found from there.
  const name = `${path.basename(file, '.ts')}-${process.pid}.mjs`;
  const outfile = path.join(root, 'node_modules/.cache/load-ts', name);
  await mkdir(path.dirname(outfile), { recursive: true });
  process.on('exit', () => {
    rmSync(outfile, { force: true });
  });
  await build({
    entryPoints: [path.resolve(file)],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages: 'external',
    sourcemap: 'inline',
    logLevel: 'warning',
    plugins: [{ name: 'import-meta', setup: keepImportMeta }],
  });
  process.setSourceMapsEnabled(true);
  return import(pathToFileURL(outfile).href);
}

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
