/**
 * Machines on which the .deb is installed, an update prepared and armed: each made once for a run of the tests and then
 * stacked upon, so that a test begins right before the reboot.
 */
import type { Test } from 'tap';
import { packageUnderTest } from '../fixtures/package-under-test.js';
import {
  Machine,
  machineWithVersion1,
  type BootRecord,
  type Layer,
  type Version1Options,
} from '../laboratory/laboratory.js';

export interface Scenario {
  packages: readonly string[];
  /** Words of `offline-update prepare`. */
  prepare?: readonly string[];
  /** Words of `offline-update trigger`. */
  trigger?: readonly string[];
  /** Policy, TOML. */
  config?: string;
  /** Changes before `prepare`. */
  before?: (machine: Machine) => Promise<unknown>;
  repository?: Version1Options['repository'];
}

export async function installedLayer(
  packages: readonly string[],
  repository?: Version1Options['repository'],
): Promise<Layer> {
  return machineWithVersion1(packages, { install: [packageUnderTest()], ...(repository && { repository }) });
}

export async function installedMachine(t: Test, packages: readonly string[]): Promise<Machine> {
  return disposable(t, await Machine.on(await installedLayer(packages)));
}

const armedLayers = new Map<string, Promise<Layer>>();

/** A machine that is off, with an update armed; the next boot is the update boot. */
export async function armedMachine(t: Test, scenario: Scenario): Promise<Machine> {
  return disposable(t, await Machine.on(await armedLayer(scenario)));
}

export function armedLayer(scenario: Scenario): Promise<Layer> {
  const key = JSON.stringify({ ...scenario, before: scenario.before?.toString() });
  const layer = armedLayers.get(key) ?? makeArmed(scenario);
  armedLayers.set(key, layer);
  return layer;
}

async function makeArmed(scenario: Scenario): Promise<Layer> {
  const machine = await Machine.on(await installedLayer(scenario.packages, scenario.repository));
  await machine.write('/etc/offline-update/config.d/50-test.toml', scenario.config ?? '');
  // What is said of machines without a way back; the copy has tests of its own (copy.test.ts).
  await machine.write(
    '/etc/offline-update/config.d/10-laboratory.toml',
    'withoutSnapshots = "resume"\naction = "reboot"\n',
  );
  await scenario.before?.(machine);
  await machine.start();
  await machine.exec(['offline-update', 'prepare', '--no-refresh', ...(scenario.prepare ?? [])]);
  // Rehearsals have tests of their own (rehearse.test.ts), and would double the time of all others.
  await machine.exec(['offline-update', 'trigger', '--no-rehearse', ...(scenario.trigger ?? [])]);
  await machine.stop();
  return machine.freeze();
}

function disposable(t: Test, machine: Machine): Machine {
  t.teardown(() => machine.dispose());
  return machine;
}

export interface Status {
  state: string;
  id: string | null;
  reason: { code: string; message: string } | null;
}

export async function statusOf(machine: Machine): Promise<Status> {
  const { stdout } = await machine.exec(['offline-update', 'status', '--json']);
  return JSON.parse(stdout) as Status;
}

export async function reportOf(machine: Machine, id: string): Promise<Record<string, unknown>> {
  const { stdout } = await machine.exec(['offline-update', 'report', id, '--json']);
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** Installed versions by package name; the states of dpkg other than `ii` stand before the version. */
export async function versionsOf(
  machine: Machine,
  names: readonly string[],
): Promise<Record<string, string>> {
  const format = '${Package} ${db:Status-Abbrev} ${Version}\\n';
  const { stdout } = await machine.exec(['dpkg-query', '--show', `--showformat=${format}`, ...names], {
    check: false,
  });
  return Object.fromEntries(
    stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => {
        const [name = '', state = '', version = ''] = line.split(/ +/);
        return [name, state === 'ii' ? version : `${state} ${version}`];
      }),
  );
}

/**
 * The machine is where it should be after any update: in its normal target, with no job waiting and nothing of ours
 * left behind (invariant 13).
 */
export async function isBackToNormal(t: Test, machine: Machine, boots: readonly BootRecord[]): Promise<void> {
  t.equal(boots.at(-1)?.ended, 'up', 'the machine is up');
  t.comment((await machine.exec('offline-update status', { check: false })).stdout);
  const { stdout: target } = await machine.exec('systemctl is-active multi-user.target', { check: false });
  t.equal(target.trim(), 'active', 'in its normal target');
  const { stdout: jobs } = await machine.exec('systemctl list-jobs --no-legend', { check: false });
  t.notMatch(jobs, /waiting|running/, 'no job is left');
  t.strictSame(residues(machine), [], 'invariant 13: nothing of the update boot is left');
  const { stdout: masked } = await machine.exec('systemctl is-enabled ctrl-alt-del.target', { check: false });
  t.not(masked.trim(), 'masked', 'invariant 13: Ctrl-Alt-Del works again');
}

/** The update boot has rebooted by itself, and once; then as `isBackToNormal`. */
export async function isBackAfterOneReboot(
  t: Test,
  machine: Machine,
  boots: readonly BootRecord[],
): Promise<void> {
  t.strictSame(
    boots.map(({ ended }) => ended),
    ['reboot', 'up'],
  );
  await isBackToNormal(t, machine, boots);
}

/** A good update: one update boot, then a machine with version 2 of all `packages`, and the verdict. Resolves with its id. */
export async function becomesUpdated(
  t: Test,
  machine: Machine,
  packages: readonly string[],
): Promise<string> {
  const boots = await machine.bootUntilSettled();
  await isBackAfterOneReboot(t, machine, boots);
  const updated = Object.fromEntries(packages.map((name) => [name, '2.0']));
  t.strictSame(await versionsOf(machine, packages), updated);
  const { id, state } = await statusOf(machine);
  t.equal(state, 'confirmed');
  return id ?? '';
}

export const journalFiles = '/var/lib/offline-update/updates/*/journal.jsonl';

/**
 * The same, of a machine that was asked for a soft-reboot into its first update since it was started: in one boot, there and
 * back again, with this verdict. `id` where it has confirmed others before.
 */
export async function isBackSoftly(
  t: Test,
  machine: Machine,
  id?: string,
  verdict: 'confirmed' | 'refused' = 'confirmed',
): Promise<void> {
  const journal = id === undefined ? journalFiles : journalFiles.replace('*', id);
  await machine.container.waitForLine(journal, (line) => line.includes(`"event":"${verdict}"`));
  const { console } = machine.container;
  const softReboots = console.filter((line) => line.startsWith('Welcome to ')).length - 1;
  t.equal(softReboots, 2, 'into the update boot and out of it, without another kernel');
  await machine.exec('systemctl is-system-running --wait', { check: false });
  await isBackToNormal(t, machine, [{ ended: 'up', seconds: 0, console, softReboots, startedSeconds: 0 }]);
}

const traces = [
  '/system-update',
  '/system-update.claimed',
  '/etc/system-update',
  '/etc/system-update.claimed',
  '/var/lib/offline-update/open',
  '/var/lib/offline-update/claims',
  '/var/lib/offline-update/rescued',
  '/var/lib/offline-update/fallback.json',
  '/var/lib/offline-update/fallbacks/armed',
  '/var/lib/offline-update/fallbacks/restored',
  '/usr/sbin/policy-rc.d',
  '/run/offline-update/update-boot',
];

function residues(machine: Machine): string[] {
  return traces.filter((path) => machine.exists(path));
}
