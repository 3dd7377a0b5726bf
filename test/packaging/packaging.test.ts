/** The policy is described in one place, packaging/config.toml, and that place is complete. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import t from 'tap';
import { defaultPolicy } from '../../src/update/policy.js';
import { papers, sources } from './paper-modules.js';

const text = readFileSync(join(import.meta.dirname, '../../packaging/config.toml'), 'utf8');

void t.test('the installed configuration changes nothing and shows every key with its default', (t) => {
  t.strictSame({ ...parse(text) }, {});
  t.strictSame({ ...parse(text.replaceAll(/^#(\w+ = )/gm, '$1')) }, { ...defaultPolicy });
  t.end();
});

void t.test('every key has words of its own, which tell each of its choices', (t) => {
  const blocks = papers.policyWords(text);
  t.strictSame(blocks.map(({ key }) => key).sort(), Object.keys(defaultPolicy).sort());
  const untold = blocks.flatMap(({ key, words }) => {
    const { enum: choices = [], anyOf = [] } = sources.policy.properties[key] ?? {};
    const all = [...choices, ...anyOf.flatMap(({ const: value }) => value ?? [])];
    return all
      .filter((choice) => !words.includes(`"${String(choice)}"`))
      .map((choice) => `${key}: ${String(choice)}`);
  });
  t.strictSame(untold, []);
  t.end();
});
