import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { fileSystem } from '../../src/host/file-system.js';
import { noSnapshots } from '../../src/snapshots/none.js';
import { defaultPolicy, type Policy } from '../../src/update/policy.js';
import { pathsBelow } from '../../src/update/paths.js';
import type { Attempt } from '../../src/update-service/attempt.js';
import { armFallback } from '../../src/update-service/fallback.js';
import { lookAhead } from '../../src/update-service/look-ahead.js';

const refuse = (what: string): Promise<never> => Promise.reject(new Error(`no answer: ${what}`));

/** An attempt of nothing but questions, and what was asked. */
function attemptBelow(
  root: string,
  policy: Partial<Policy> = {},
  answer = refuse,
): { attempt: Attempt; asked: string[] } {
  const asked: string[] = [];
  const ask = (what: string) => () => {
    asked.push(what);
    return answer(what);
  };
  const attempt = {
    ports: {
      fs: fileSystem,
      paths: pathsBelow(root),
      snapshots: { probe: ask('way back') },
      whySyncsStay: ask('syncs'),
      payload: { lookAhead: ask('leftovers') },
    },
    plan: { policy: { ...defaultPolicy, ...policy }, payload: {} },
    update: { paths: { terminalLog: '/term.log' } },
  };
  return { attempt: attempt as unknown as Attempt, asked };
}

void t.test('what later phases need is asked at once, and nobody waits for it', async (t) => {
  const { attempt, asked } = attemptBelow(t.testdir({}), {}, () => new Promise(() => undefined));
  await lookAhead(attempt);
  t.strictSame(asked, ['way back', 'leftovers']);
});

void t.test('whether syncs can be spared is asked only where there is a way back', async (t) => {
  const asksWith = async (usable: boolean, packageSyncs?: 'keep'): Promise<boolean> => {
    const support = Promise.resolve({ usable });
    const { attempt, asked } = attemptBelow(
      t.testdir({}),
      packageSyncs && { packageSyncs },
      () => support as Promise<never>,
    );
    await lookAhead(attempt);
    await attempt.arming?.support;
    return asked.includes('syncs');
  };
  t.ok(await asksWith(true));
  t.notOk(await asksWith(false));
  t.notOk(await asksWith(true, 'keep'));
});

void t.test('a failed look is told by the phase that needs it, and not asked again', async (t) => {
  const { attempt, asked } = attemptBelow(t.testdir({}));
  await lookAhead(attempt);
  await t.rejects(armFallback(attempt), { message: 'no answer: way back' });
  t.equal(asked.filter((what) => what === 'way back').length, 1);
});

void t.test('the way back is begun ahead, and armed only by its phase', async (t) => {
  const { attempt, arming } = arms(t.testdir({}));
  await lookAhead(attempt);
  await attempt.arming?.support;
  await setImmediate();
  t.strictSame(arming, ['begun']);
  await armFallback(attempt);
  t.strictSame(arming, ['begun', 'armed']);
  t.match(attempt.fallback, { reference: 'old root' });
  await attempt.arming?.abandon();
  t.strictSame(arming, ['begun', 'armed'], 'what is armed stays');
});

void t.test('a way back that was begun for nothing is gone before the refusal is told', async (t) => {
  const { attempt, arming } = arms(t.testdir({}));
  await lookAhead(attempt);
  await attempt.arming?.abandon();
  t.strictSame(arming, ['begun', 'gone']);
});

/** An attempt on a machine with snapshots, and what became of the way back. */
function arms(root: string): { attempt: Attempt; arming: string[] } {
  const arming: string[] = [];
  const { attempt } = attemptBelow(root, {}, () => Promise.resolve() as Promise<never>);
  attempt.ports.snapshots = {
    ...noSnapshots,
    probe: () => Promise.resolve({ usable: true, reason: 'snapshots' }),
    async armFallback(_id, { when } = {}) {
      arming.push('begun');
      await when?.catch(async (error: unknown) => {
        await setImmediate();
        arming.push('gone');
        throw error;
      });
      arming.push('armed');
      return { provider: 'fake', reference: 'old root' };
    },
  };
  return { attempt, arming };
}

void t.test('where hooks come in between, everything is asked after them', async (t) => {
  const hook = { '10-mount': t.fixture('symlink', '/bin/true') };
  const { attempt, asked } = attemptBelow(
    t.testdir({ etc: { 'offline-update': { 'before-install.d': hook } } }),
  );
  await lookAhead(attempt);
  t.strictSame(asked, []);
  await t.rejects(armFallback(attempt), { message: 'no answer: way back' });
});

void t.test('without a wish for a way back only the configuration files are looked at', async (t) => {
  const { attempt, asked } = attemptBelow(t.testdir({}), { snapshot: 'off' });
  await lookAhead(attempt);
  t.strictSame(asked, ['leftovers']);
});
