// What manual pages and completions are made from: the command line, the policy, the units, the files of the tree.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod/mini';
import { loadTypeScript } from './load-ts.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

export async function paperSources() {
  const { makeProgram } = await loadTypeScript(path.join(root, 'src/cli/cli.ts'));
  const { verbs } = await loadTypeScript(path.join(root, 'src/cli/verbs/verbs.ts'));
  const { policySchema } = await loadTypeScript(path.join(root, 'src/update/policy.ts'));
  const units = readdirSync(path.join(root, 'units')).filter((name) =>
    /\.(?:service|timer|socket|path)$/.test(name),
  );
  return {
    // To be asked for its verbs and options; none is carried out.
    program: makeProgram(verbs, () => () => Promise.resolve(), {
      stdout: process.stdout,
      stderr: process.stderr,
    }),
    policy: z.toJSONSchema(policySchema, { io: 'input' }),
    read: (file) => readFileSync(path.join(root, file), 'utf8'),
    // The update service first, then the others by name.
    units: units.sort((a, b) => (path.parse(a).name < path.parse(b).name ? -1 : 1)),
  };
}
