// Writes docs/schema/*.json, or with --check tells which of them are not what the sources say.
import { build } from 'esbuild';
import { readFile, writeFile, mkdir, rm, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { policyWords } from '../packaging/papers/policy-words.mjs';

const root = join(fileURLToPath(import.meta.url), '../..');
const folder = join(root, 'docs/schema');
const sources = `
  import * as z from 'zod/mini';
  import { planSchema } from './src/update/plan.ts';
  import { rehearsalSchema } from './src/update/rehearsal.ts';
  import { baselineSchema } from './src/update/baseline.ts';
  import { policySchema } from './src/update/policy.ts';
  import { pluginRequestSchema } from './src/payloads/packages/apt/plugin-schema.ts';
  export const schemas = [
    ['plan', 'A sealed update (plan.json)', z.toJSONSchema(planSchema, { io: 'output' })],
    ['rehearsal', 'A rehearsal of an update (rehearsal.json)', z.toJSONSchema(rehearsalSchema, { io: 'output' })],
    ['baseline', 'How healthy the machine was when it was armed (baseline.json)', z.toJSONSchema(baselineSchema)],
    ['policy', 'Policy (config.toml)', z.toJSONSchema(policySchema, { io: 'input' })],
    ['plugin-request', 'What prepare --from takes', z.toJSONSchema(pluginRequestSchema, { io: 'input' })],
  ];
`;

async function load() {
  const scratch = await mkdtemp(join(root, 'node_modules/.schemas-'));
  try {
    const outfile = join(scratch, 'schemas.mjs');
    await build({
      stdin: { contents: sources, resolveDir: root, loader: 'ts' },
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'esm',
      packages: 'external',
      outfile,
    });
    return (await import(pathToFileURL(outfile).href)).schemas;
  } finally {
    await rm(scratch, { recursive: true });
  }
}

/** An editor that knows the schema tells the words of config.toml beside each key. */
async function describe(policy) {
  for (const { key, words } of policyWords(await readFile(join(root, 'packaging/config.toml'), 'utf8'))) {
    policy.properties[key].description = words.replaceAll('\n', ' ');
  }
}

let isStale = false;
for (const [name, title, schema] of await load()) {
  const path = join(folder, `${name}.schema.json`);
  const { $schema, ...rest } = schema;
  if (name === 'policy') await describe(rest);
  const options = { ...(await resolveConfig(path)), parser: 'json' };
  const text = await format(JSON.stringify({ $schema, title, ...rest }), options);
  if (process.argv.includes('--check')) {
    if ((await readFile(path, 'utf8').catch(() => '')) === text) continue;
    isStale = true;
    console.error(`docs/schema/${name}.schema.json is not up to date: node scripts/schemas.mjs`);
  } else {
    await mkdir(folder, { recursive: true });
    await writeFile(path, text);
  }
}
process.exitCode = isStale ? 1 : 0;
