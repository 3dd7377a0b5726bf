import t from 'tap';
import { newUpdateId, UPDATE_ID } from '../../src/update/update-id.js';

const now = new Date('2026-11-20T15:49:35.123Z');

/** The stamp of a new id. */
function stamped(...known: string[]): string {
  const id = newUpdateId(now, known);
  t.match(id, UPDATE_ID);
  return id.slice(0, -5);
}

void t.test('an id tells its time, in UTC', (t) => {
  t.equal(stamped(), '20261120T154935');
  t.equal(stamped('20261120T154934-ffff', '20251120T154935-0000'), '20261120T154935');
  t.end();
});

void t.test('an id is above all that are known, also of the same second or of a clock in the future', (t) => {
  t.equal(stamped('20261120T154935-ffff'), '20261120T154936');
  t.equal(stamped('20311231T235959-0000', '20251120T154935-0000'), '20320101T000000');
  t.end();
});

void t.test('what is no time, or the last one of all, keeps no id from being made', (t) => {
  t.equal(stamped('99999999T999999-ffff'), '20261120T154935');
  t.equal(stamped('99991231T235959-ffff'), '20261120T154935');
  t.end();
});
