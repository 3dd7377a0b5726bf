import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import t from 'tap';
import { tellingVerbs } from '../../src/cli/verbs/telling-verbs.js';
import { verbs } from '../../src/cli/verbs/verbs.js';

void t.test('the shell sends to the telling program what it knows, and nothing else', (t) => {
  const script = readFileSync(join(import.meta.dirname, '../../units/offline-update'), 'utf8');
  const program = new Command();
  for (const verb of tellingVerbs) verb(program, () => () => Promise.resolve());
  t.match(
    script,
    `case \${1-} in\n${program.commands.map((command) => command.name()).join(' | ')})\n\tcase`,
  );
  t.ok(
    tellingVerbs.every((verb) => verbs.some((other) => other === verb)),
    'and the other program knows them, too',
  );
  t.end();
});
