import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { folderWatch } from '../../src/host/watch-folder.js';

void t.test('changes in the watched folders are told by their path, and in no others', async (t) => {
  const root = t.testdir({ one: {}, two: {} });
  const at = (path: string): string => join(root, path);
  const told: string[] = [];
  let wake: () => void = () => undefined;
  const watch = folderWatch((path) => {
    told.push(path);
    wake();
  });
  t.teardown(() => {
    watch.close();
  });
  const until = async (path: string): Promise<void> => {
    while (!told.includes(path)) await new Promise<void>((resolve) => (wake = resolve));
  };
  t.equal(watch.over([at('one'), at('later')]), true, 'one is new, the other is not there');
  t.equal(watch.over([at('one'), at('later')]), false);
  writeFileSync(at('one/a'), '');
  await until(at('one/a'));
  mkdirSync(at('later'));
  t.equal(watch.over([at('later'), at('two')]), true);
  writeFileSync(at('one/b'), '');
  writeFileSync(at('later/c'), '');
  writeFileSync(at('two/d'), '');
  await until(at('later/c'));
  await until(at('two/d'));
  t.notOk(told.includes(at('one/b')), 'the first one is left alone');
  watch.close();
  t.equal(watch.over([at('one')]), false, 'once closed it begins no new watch');
});
