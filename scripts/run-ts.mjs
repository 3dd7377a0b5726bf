// run-ts.mjs FILE [ARGUMENT...]: runs a TypeScript file of this tree.
import path from 'node:path';
import { loadTypeScript } from './load-ts.mjs';

const [file, ...args] = process.argv.slice(2);
if (file === undefined) {
  console.error('usage: node scripts/run-ts.mjs FILE [ARGUMENT...]');
  process.exit(2);
}

process.argv = [process.argv[0], path.resolve(file), ...args];
await loadTypeScript(file);
