/** The files for other package managers, with the real programs: what they hand to `prepare --from -`. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import t, { type Test } from 'tap';
import { pluginRequestSchema } from '../../src/payloads/packages/apt/plugin-schema.js';
import {
  dnf5,
  machineWithTools,
  pacman,
  pacmanRepository,
  rpmRepository,
  zypper,
} from '../fixtures/other-managers.js';
import { archiveUnreachable, type Machine } from '../laboratory/laboratory.js';

const integrations = '/usr/share/offline-update/integrations';
const skip = (await archiveUnreachable()) ?? false;

interface Handed {
  manager: string;
  architecture: string;
  files: { aa: string; new: string };
}

/** The request is in order, names exactly the transaction, and tells the truth of each file. */
async function wasHanded(t: Test, machine: Machine, expected: Handed): Promise<void> {
  const { manager, architecture, files } = expected;
  const request = pluginRequestSchema.parse(JSON.parse(await machine.read('/srv/request.json')));
  const listed = async (name: string, version: string, pattern: string) => {
    const file = (await machine.run(`ls -d ${pattern}`)).stdout.trim();
    const content = await readFile(machine.path(file));
    const sha256 = createHash('sha256').update(content).digest('hex');
    return { name, architecture, version, sha256, sizeBytes: content.length, file };
  };
  t.strictSame(
    { ...request, packages: [...request.packages].sort((a, b) => (a.name < b.name ? -1 : 1)) },
    {
      format: 1,
      manager,
      packages: [await listed('aa', '1:2.0-1', files.aa), await listed('new', '3.0-2', files.new)],
      remove: [{ name: 'old', architecture, version: '1.0-1' }],
    },
  );
}

const refused = /cannot be installed offline by this version: it knows apt/;
/** As it will be once there is a payload: the request is taken. */
const takes = (machine: Machine) =>
  machine.write(
    '/usr/local/bin/offline-update',
    '#!/bin/sh\n[ "$*" = "prepare --from -" ] && cat >/srv/request.json\n',
  );

void t.test('pacman hands over what it would install, and installs nothing', { skip }, async (t) => {
  const machine = await machineWithTools(t, pacman, pacmanRepository);
  const upgrade = (env: Record<string, string>) =>
    machine.run('pacman -Syu --noconfirm', { check: false, env });
  const installed = async () => (await machine.run('pacman -Q')).stdout;
  await machine.run(`ln -s ${integrations}/pacman/*.hook /etc/pacman.d/hooks/`);

  const now = await upgrade({ OFFLINE_UPDATE: '1' });
  t.match(now.stdout, refused, 'this version has no payload for it, and says so');
  t.equal(now.exitCode, 1);
  await wasHanded(t, machine, {
    manager: 'pacman',
    architecture: 'any',
    files: { aa: '/var/cache/pacman/pkg/aa-1:2*', new: '/var/cache/pacman/pkg/new-*' },
  });

  await takes(machine);
  t.match((await upgrade({ OFFLINE_UPDATE: '1' })).stdout, /was handed to offline-update: .*trigger/);
  t.equal(await installed(), 'aa 1.0-1\nold 1.0-1\n');
  t.equal((await machine.run('find /run -name "offline-update-*"')).stdout, '', 'nothing is left');

  t.equal((await upgrade({})).exitCode, 0);
  t.equal(await installed(), 'aa 1:2.0-1\nnew 3.0-2\n', 'unless it is asked for, pacman installs as always');
});

void t.test('zypper offline-update hands over what zypper would install', { skip }, async (t) => {
  const machine = await machineWithTools(t, zypper, rpmRepository);
  const offline = (words = '') => machine.run(`zypper offline-update ${words}`, { check: false });
  await machine.run(
    `mkdir -p /usr/lib/zypper/commands && ln -s ${integrations}/zypper/zypper-offline-update /usr/lib/zypper/commands/`,
  );

  const now = await offline();
  t.match(now.stderr, refused);
  t.equal(now.exitCode, 5);
  const cache = '/var/cache/offline-update/zypper/lab';
  await wasHanded(t, machine, {
    manager: 'zypper',
    architecture: 'noarch',
    files: { aa: `${cache}/aa-*`, new: `${cache}/new-*` },
  });
  t.match(await offline('install nothing-there'), {
    exitCode: 104,
    stderr: /^No provider of 'nothing-there' found/,
  });
  t.match(await offline('refresh'), { exitCode: 2, stderr: /can be prepared, not refresh/ });

  await takes(machine);
  t.equal((await offline('remove aa')).exitCode, 0);
  t.match(JSON.parse(await machine.read('/srv/request.json')), {
    packages: [],
    remove: [{ name: 'aa', architecture: 'noarch', version: '1.0-1' }],
  });
  t.notOk(machine.exists(cache), 'what the stage holds is not kept twice');
  t.equal((await machine.run('rpm -qa | sort')).stdout, 'aa-1.0-1.noarch\nold-1.0-1.noarch\n');
});

void t.test('dnf5 hands over what it would install, and installs nothing', { skip }, async (t) => {
  const machine = await machineWithTools(t, dnf5, rpmRepository);
  const run = (words: string, env: Record<string, string> = { OFFLINE_UPDATE: '1' }) =>
    machine.run(`dnf5 --assumeyes ${words}`, { check: false, env });
  await machine.run(`ln -s ${integrations}/dnf5/offline-update.actions /etc/dnf/libdnf5-plugins/actions.d/`);

  const now = await run('upgrade');
  t.match(now.stderr, refused);
  t.equal(now.exitCode, 1);
  const cache = '/var/cache/libdnf5/lab-*/packages';
  await wasHanded(t, machine, {
    manager: 'dnf5',
    architecture: 'noarch',
    files: { aa: `${cache}/aa-*`, new: `${cache}/new-*` },
  });
  const local = await run('install /srv/lab/repository/new-3.0-2.noarch.rpm');
  t.match(local.stderr, /only packages of a repository can be installed offline, not new-3/);

  await takes(machine);
  t.match((await run('upgrade')).stderr, /handed to offline-update; nothing is installed now/);
  t.equal((await machine.run('rpm -qa | sort')).stdout, 'aa-1.0-1.noarch\nold-1.0-1.noarch\n');
  t.equal((await machine.run('find /run -name "offline-update-*"')).stdout, '', 'nothing is left');

  t.equal((await run('upgrade', {})).exitCode, 0);
  t.equal((await machine.run('rpm -qa | sort')).stdout, 'aa-2.0-1.noarch\nnew-3.0-2.noarch\n');
});
