import t from 'tap';
import { parseStanzas } from '../../../../src/payloads/packages/apt/control-stanzas.js';
import { seenQuestions } from '../../../../src/payloads/packages/apt/debconf-questions.js';

const templates = parseStanzas(`Name: a/host
Type: string
Default: localhost
Description: Which host?

Name: a/told
Type: note
Description: Read this

Name: a/silent
Type: boolean
Description: Not asked at this priority?
`);

void t.test(
  'a question that was put and got its default is told; notes and what was not put are not',
  (t) => {
    const answers = parseStanzas(`Name: a/host
Template: a/host
Owners: a
Flags: seen

Name: a/told
Template: a/told
Flags: seen

Name: a/silent
Template: a/silent
Value: true
Owners: a
`);
    t.strictSame(seenQuestions(answers, templates), [
      { name: 'a/host', type: 'string', text: 'Which host?', answer: 'localhost' },
    ]);
    t.end();
  },
);

void t.test('an answer that was given before is the one told', (t) => {
  const answers = parseStanzas('Name: a/host\nTemplate: a/host\nValue: example\nFlags: seen, other\n');
  t.equal(seenQuestions(answers, templates)[0]?.answer, 'example');
  t.end();
});
