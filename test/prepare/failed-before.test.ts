import t, { type Test } from 'tap';
import type { UpdateErrorCode } from '../../src/update/errors.js';
import type { UpdateEvent } from '../../src/update/events.js';
import { newOnlineMachine, type OnlineMachine } from '../fixtures/online-machine.js';
import { failedUnit, unitState } from '../fixtures/unit-state.js';

const claimed: UpdateEvent = { event: 'claimed', attempt: 1 };
const installing: UpdateEvent = { event: 'installing', attempt: 1, fallback: null };
const installed: UpdateEvent = { event: 'installed', attempt: 1 };
const because = (code: UpdateErrorCode) => ({ code, message: `because of ${code}` });
const failed: UpdateEvent = { event: 'failed', reason: because('INSTALL_FAILED'), healed: true };
const reverted = (code: UpdateErrorCode): UpdateEvent => ({ event: 'reverted', reason: because(code) });

/** Prepares, arms and ends an update by these events, as the boots after it would. */
async function updated(machine: OnlineMachine, ...events: UpdateEvent[]): Promise<string> {
  const { id } = (await machine.cli('prepare', '--json')).json() as { id: string };
  await machine.cli('trigger', '--force');
  const { journal } = await machine.ports.online.store.find(id);
  for (const event of events) await journal.append(event);
  await machine.ports.online.files.remove(machine.path('/system-update'));
  await machine.ports.online.store.unmarkOpen();
  return id;
}

async function failedMachine(t: Test): Promise<OnlineMachine & { id: string }> {
  const machine = newOnlineMachine(t);
  return Object.assign(machine, { id: await updated(machine, claimed, installing, failed) });
}

void t.test('what failed is not armed again, and prepare, status and doctor say so before', async (t) => {
  const machine = await failedMachine(t);
  const why = `the same changes were made by update ${machine.id}, which failed: because of INSTALL_FAILED`;
  const prepared = await machine.cli('prepare');
  t.match(prepared.stdout, `Warning: ${why}\n\nNext: offline-update report ${machine.id}; when its cause`);
  const status = await machine.cli('status');
  t.match(status.stdout, `Failed    ${why}\n`);
  t.match((await machine.cli('status', '--json')).json(), {
    state: 'prepared',
    failedBefore: { id: machine.id, verdict: 'failed', reason: { code: 'INSTALL_FAILED' } },
    next: `offline-update report ${machine.id}`,
  });
  const doctor = await machine.cli('doctor');
  t.equal(doctor.exitCode, 5);
  t.match(doctor.stdout, `BLOCKED: ${why} [failed-before]\n`);
  const { exitCode, stderr } = await machine.cli('trigger');
  t.equal(exitCode, 5);
  t.equal(
    stderr,
    `offline-update: the update was not armed\n  why: ${why}\n` +
      `  next: offline-update report ${machine.id}; when its cause is mended: offline-update trigger --force\n`,
  );
  t.match((await machine.cli('trigger', '--json')).json(), { error: { code: 'FAILED_BEFORE' } });
});

void t.test('--force arms it, and what failed is still told', async (t) => {
  const machine = await failedMachine(t);
  await machine.cli('prepare');
  const { exitCode, stderr } = await machine.cli('trigger', '--force');
  t.equal(exitCode, 0);
  t.match(stderr, /^Warning: the same changes were made by update /);
});

void t.test('clean keeps the memory', async (t) => {
  const machine = await failedMachine(t);
  await machine.cli('clean');
  await machine.cli('prepare');
  t.equal((await machine.cli('trigger')).exitCode, 5);
});

void t.test('another version of one package is another change', async (t) => {
  const machine = await failedMachine(t);
  machine.payload.packages = [
    { name: 'alpha', version: '2.0', content: 'alpha, version two' },
    { name: 'beta', version: '2.1', content: 'beta, mended' },
  ];
  await machine.cli('prepare');
  t.equal((await machine.cli('trigger')).exitCode, 0);
});

void t.test('the same version with another content is another change', async (t) => {
  const machine = await failedMachine(t);
  machine.payload.packages = machine.payload.packages.map((each) => ({ ...each, content: 'built anew' }));
  await machine.cli('prepare');
  t.equal((await machine.cli('trigger')).exitCode, 0);
});

void t.test('a system that changed elsewhere does not make it another change', async (t) => {
  const machine = await failedMachine(t);
  machine.payload.fingerprint = 'b'.repeat(64);
  await machine.cli('prepare');
  t.equal((await machine.cli('trigger')).exitCode, 5);
});

void t.test('a later success of the same changes makes up for it', async (t) => {
  const machine = await failedMachine(t);
  await updated(machine, claimed, installing, installed, { event: 'confirmed' });
  await machine.cli('prepare');
  t.equal((await machine.cli('trigger')).exitCode, 0);
});

const ends: [string, UpdateEvent[], number][] = [
  ['reverted for its health', [claimed, installing, installed, reverted('HEALTH_FAILED')], 5],
  ['reverted for a power cut', [claimed, installing, reverted('INSTALL_INTERRUPTED')], 0],
  ['refused', [claimed, { event: 'refused', reason: because('STAGE_TAMPERED') }], 0],
  ['confirmed', [claimed, installing, installed, { event: 'confirmed' }], 0],
];
for (const [what, events, exitCode] of ends) {
  void t.test(`after an update that was ${what}, trigger ends with ${exitCode}`, async (t) => {
    const machine = newOnlineMachine(t);
    await updated(machine, ...events);
    await machine.cli('prepare');
    t.equal((await machine.cli('trigger')).exitCode, exitCode);
  });
}

void t.test('a blocked update blocks until clean, and is then forgiven', async (t) => {
  const machine = newOnlineMachine(t);
  await updated(machine, claimed, { event: 'blocked', reason: because('ATTEMPTS_USED_UP') });
  t.equal((await machine.cli('prepare')).exitCode, 5);
  await machine.cli('clean');
  await machine.cli('prepare');
  t.equal((await machine.cli('trigger')).exitCode, 0);
});

void t.test('a history that cannot be read holds nothing against a plan', async (t) => {
  const machine = await failedMachine(t);
  machine.write(`/var/lib/offline-update/updates/${machine.id}/plan.json`, '{');
  await machine.cli('prepare');
  t.equal((await machine.cli('trigger')).exitCode, 0);
});

void t.test('the baseline is what the machine is like when it is armed, and is missed aloud', async (t) => {
  const machine = newOnlineMachine(t);
  const { id } = (await machine.cli('prepare', '--json')).json() as { id: string };
  const path = machine.path(`/var/lib/offline-update/updates/${id}/baseline.json`);
  const lab0 = {
    name: 'lab0',
    isHardware: true,
    hasCarrier: true,
    addresses: ['IPv4' as const],
    defaultRoutes: ['IPv4' as const],
  };
  machine.facts.health = () =>
    Promise.resolve({
      units: [
        unitState('well.service'),
        failedUnit('broken.service'),
        { ...failedUnit('run-u1.service'), isTransient: true },
        unitState('loops.service', { active: 'activating', sub: 'auto-restart', restarts: 9 }),
      ],
      interfaces: [lab0],
      monotonicSeconds: 100,
    });
  await machine.cli('trigger');
  t.strictSame(JSON.parse(await machine.ports.online.fs.readFile(path)), {
    format: 1,
    failedUnits: ['broken.service', 'loops.service'],
    interfaces: [lab0],
  });
  await machine.cli('cancel');
  machine.facts.health = () => Promise.reject(new Error('no systemd here'));
  const { exitCode, stderr } = await machine.cli('trigger');
  t.equal(exitCode, 0);
  t.match(
    stderr,
    'Warning: units and network cannot be compared after the update: no systemd here [baseline]',
  );
  await t.rejects(
    machine.ports.online.fs.readFile(path),
    { code: 'ENOENT' },
    "no old one is taken for today's",
  );
});
