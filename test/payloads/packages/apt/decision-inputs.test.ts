import t, { type Test } from 'tap';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileSystem } from '../../../../src/host/file-system.js';
import { preflightPlan } from '../../../../src/payloads/packages/apt/apt-preflight.js';
import { decisionInputs } from '../../../../src/payloads/packages/apt/decision-inputs.js';
import type { PackagesPlan } from '../../../../src/update/plan.js';

const files = {
  'var/lib/dpkg/status': 'Package: a\nStatus: install ok installed\nVersion: 1\n',
  'etc/apt/apt.conf.d/50unattended': 'APT::Install-Recommends "true";\n',
  'etc/apt/apt.conf.d/70debconf': 'DPkg::Pre-Install-Pkgs { "true"; };\n',
};

function machine(t: Test): { root: string; write: (name: string, text: string) => void } {
  const root = t.testdir({});
  const write = (name: string, text: string): void => {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  };
  for (const [name, text] of Object.entries(files)) write(name, text);
  return { root, write };
}

void t.test('the same machine gives the same inputs, and each change of one gives others', async (t) => {
  const { root, write } = machine(t);
  const first = await decisionInputs(fileSystem, root);
  t.match(first, /^[0-9a-f]{64}$/);
  t.equal(await decisionInputs(fileSystem, root), first);
  const seen = new Set([first]);
  const changes: (() => void)[] = [
    () => {
      write('var/lib/dpkg/status', files['var/lib/dpkg/status'].replace('install ok', 'hold ok'));
    },
    () => {
      write('var/lib/dpkg/arch', 'amd64\ni386\n');
    },
    () => {
      write('var/lib/apt/extended_states', 'Package: a\nAuto-Installed: 1\n');
    },
    () => {
      write('etc/apt/apt.conf', 'APT::Get::Upgrade-Allow-New "true";\n');
    },
    () => {
      write('etc/apt/apt.conf.d/99mine', '');
    },
    () => {
      renameSync(join(root, 'etc/apt/apt.conf.d/99mine'), join(root, 'etc/apt/apt.conf.d/00mine'));
    },
    () => {
      rmSync(join(root, 'etc/apt/apt.conf.d/70debconf'));
    },
  ];
  for (const change of changes) {
    change();
    seen.add(await decisionInputs(fileSystem, root));
  }
  t.equal(seen.size, changes.length + 1);
});

void t.test('a configuration that includes others is not known to be the same', async (t) => {
  const { root, write } = machine(t);
  write('etc/apt/apt.conf.d/80site', '#include "/etc/site/apt.conf";\n');
  t.equal(await decisionInputs(fileSystem, root), undefined);
});

void t.test('a text moved from one file to the next is a change', async (t) => {
  const { root, write } = machine(t);
  write('etc/apt/apt.conf.d/80a', 'one\ntwo\n');
  write('etc/apt/apt.conf.d/80b', '');
  const before = await decisionInputs(fileSystem, root);
  write('etc/apt/apt.conf.d/80a', 'one\n');
  write('etc/apt/apt.conf.d/80b', 'two\n');
  t.not(await decisionInputs(fileSystem, root), before);
});

void t.test('apt is asked again exactly when something has changed by which it decides', async (t) => {
  const { root, write } = machine(t);
  let [simulations, fingerprints] = [0, 0];
  const ports = {
    root,
    files: fileSystem,
    database: {
      states: () => Promise.resolve(new Map()),
      fingerprint: () => {
        fingerprints += 1;
        return Promise.resolve('f');
      },
      audit: () => Promise.resolve(''),
      pendingJournal: () => Promise.resolve([]),
    },
    simulatedDifferences: () => {
      simulations += 1;
      return Promise.resolve(['remove a']);
    },
  };
  const decidedBy = await decisionInputs(fileSystem, root);
  const plan = { baseFingerprint: 'f', decidedBy } as PackagesPlan;
  const stage = { path: '/stage' };
  t.strictSame(await preflightPlan(ports, plan, stage), []);
  t.strictSame(await preflightPlan(ports, Promise.resolve(plan), stage), []);
  t.strictSame([simulations, fingerprints], [0, 0], 'no program is started');
  t.match(await preflightPlan(ports, { ...plan, decidedBy: undefined }, stage), [{ check: 'drift' }]);
  write('etc/apt/apt.conf.d/99mine', 'APT::Get::Remove "true";\n');
  t.match(await preflightPlan(ports, plan, stage), [{ check: 'drift' }]);
  write('etc/apt/apt.conf.d/99mine', '#include "/elsewhere";\n');
  t.match(await preflightPlan(ports, { ...plan, decidedBy: undefined }, stage), [{ check: 'drift' }]);
  t.equal(simulations, 3);
});

void t.test(
  'invariant 7: a plan that is not proven is refused, whatever the machine answers meanwhile',
  async (t) => {
    const { root } = machine(t);
    symlinkSync('/nowhere', join(root, 'etc/apt/apt.conf'));
    const failing = () => Promise.reject(new Error('dpkg is broken'));
    const ports = {
      root,
      files: fileSystem,
      database: { states: failing, fingerprint: failing, audit: failing, pendingJournal: failing },
      simulatedDifferences: () => Promise.reject(new Error('nothing of the stage may be read')),
    };
    const refused = Promise.reject<PackagesPlan>(new Error('STAGE_TAMPERED'));
    await t.rejects(preflightPlan(ports, refused, { path: '/stage' }), { message: 'STAGE_TAMPERED' });
  },
);
