// Writes the manual pages to dist/man and prints their paths. Run: node scripts/man-pages.mjs.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { manPage, manPages } from '../packaging/papers/man-pages.mjs';
import { paperSources } from './paper-sources.mjs';

const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), '../dist/man');
const sources = await paperSources();
await mkdir(folder, { recursive: true });
for (const name of manPages) {
  await writeFile(path.join(folder, name), manPage(name, sources));
  console.log(`dist/man/${name}`);
}
