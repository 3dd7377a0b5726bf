import t from 'tap';
import { signingKey } from './signing-key.js';

void t.test('many sign at the same time, and nobody ends the agent of another', async (t) => {
  const key = await signingKey();
  const texts = Array.from({ length: 12 }, (_, index) => `text ${index}\n`);
  const signed = await Promise.all(texts.map((text) => key.sign(text)));
  for (const [index, text] of signed.entries()) t.match(text, `\ntext ${index}\n`);
});
