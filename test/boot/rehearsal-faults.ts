/**
 * Twenty faults that would make an installation in the update boot fail or never end, each planted on one machine. What
 * finds it is either the rehearsal or a check of the preflight; `says` is what the person reads.
 */
import { debOf, putRepository, type Deb, type DebSpec, type Machine } from '../laboratory/laboratory.js';

export interface Fault {
  fault: string;
  /** Words of `prepare`; default: the package of the fault. */
  packages?: readonly string[];
  spec?: Partial<DebSpec>;
  /** Installed before, version 1. */
  installed?: Partial<DebSpec>;
  /** Shell, before and after `prepare`, and to make good. */
  before?: string;
  after?: string;
  undo?: string;
  says: RegExp;
}

const postinst = (text: string): Partial<DebSpec> => ({ scripts: { postinst: text } });
const hook = (folder: string): string =>
  `f=/etc/offline-update/${folder}/10-fails; printf '#!/bin/sh\\necho "no backup"; exit 3\\n' >$f; chmod 755 $f`;
const removeHooks = 'rm -f /etc/offline-update/*-install.d/10-fails';
const policy = (text: string): string => `echo '${text}' >/etc/offline-update/config.d/60-fault.toml`;
const removePolicy = 'rm -f /etc/offline-update/config.d/60-fault.toml';
export const faults: readonly Fault[] = [
  { fault: 'a preinst fails', spec: { scripts: { preinst: 'exit 1' } }, says: /pre-installation script/ },
  { fault: 'a postinst fails', spec: postinst('exit 7'), says: /post-installation script.*exit status 7/ },
  {
    fault: 'the prerm of the old version fails, and that of the new one',
    installed: { scripts: { prerm: 'exit 1' } },
    spec: { scripts: { prerm: '[ "$1" != failed-upgrade ]' } },
    says: /pre-removal script/,
  },
  {
    fault: 'the postrm of the old version fails, and that of the new one',
    installed: { scripts: { postrm: 'exit 1' } },
    spec: { scripts: { postrm: '[ "$1" != failed-upgrade ]' } },
    says: /post-removal script/,
  },
  {
    fault: 'a script calls a program that is missing',
    spec: postinst('no-such-program'),
    says: /exit status 127/,
  },
  {
    fault: 'a script has an interpreter that is missing',
    spec: { scripts: { postinst: '#!/usr/bin/no-such-interpreter\n' } },
    says: /post-installation script/,
  },
  {
    fault: 'a script wants a terminal',
    spec: postinst('read answer </dev/tty'),
    says: /post-installation script/,
  },
  {
    fault: 'a script needs the network',
    spec: postinst(
      'perl -MSocket -e \'socket(S, AF_INET, SOCK_STREAM, 0); connect(S, sockaddr_in(80, inet_aton("192.0.2.1"))) or die "no network\\n"\'',
    ),
    says: /post-installation script/,
  },
  {
    fault: 'a script waits for ever',
    before: policy('stallTimeoutSeconds = 2'),
    spec: postinst('exec sleep infinity'),
    undo: removePolicy,
    says: /no progress and no CPU or disk use for 2 s while working on/,
  },
  {
    fault: 'a script never ends',
    before: policy('rehearseTimeoutSeconds = 6'),
    spec: postinst('while :; do :; done'),
    undo: removePolicy,
    says: /it was ended after 6 s/,
  },
  {
    fault: 'a script kills the package manager',
    spec: postinst('kill -9 $PPID; exit 1'),
    says: /failed/,
  },
  {
    fault: 'two packages have the same file',
    packages: ['lab-fault-12', 'lab-fault-12-other'],
    spec: { files: { '/usr/share/lab-shared': 'one' } },
    says: /trying to overwrite '\/usr\/share\/lab-shared'/,
  },
  {
    fault: 'a file belongs to another package',
    spec: { files: { '/usr/bin/dpkg-query': 'x' } },
    says: /trying to overwrite '\/usr\/bin\/dpkg-query'/,
  },
  {
    fault: 'a question whose default the script does not take',
    spec: {
      depends: 'debconf',
      scripts: {
        templates: 'Template: lab-fault/host\nType: string\nDescription: which host?\n A made-up question.\n',
        config:
          '#!/bin/sh\n. /usr/share/debconf/confmodule\ndb_input critical lab-fault/host || true\ndb_go || true\n',
        postinst:
          '#!/bin/sh\nset -e\n. /usr/share/debconf/confmodule\ndb_get lab-fault/host\n[ -n "$RET" ]\n',
      },
    },
    says: /post-installation script/,
  },
  {
    fault: 'more is written than the package says, and than there is room',
    spec: postinst('head -c 400M /dev/zero >/var/lib/lab-large'),
    says: /\/ has [0-9.]+ MiB free, the update needs 4[0-9.]+ MiB/,
  },
  {
    fault: 'the package says that there is no room',
    spec: { control: { 'Installed-Size': '99000000' } },
    says: /\/ has .* MiB free, the update needs .* MiB \[disk-space\]/,
  },
  {
    fault: 'a hook before the installation fails',
    before: hook('before-install.d'),
    undo: removeHooks,
    says: /in the phase before: the hook .*10-fails ended with 3: no backup/,
  },
  {
    fault: 'a hook after the installation fails',
    before: hook('after-install.d'),
    undo: removeHooks,
    says: /in the phase after: the hook .*10-fails ended with 3: no backup/,
  },
  {
    fault: 'a file of the stage was changed',
    after: 'for f in /var/lib/system-update/packages/*; do echo >>$f; done',
    says: /stage|content|sealed/,
  },
  {
    fault: 'a package was held meanwhile',
    after: 'apt-mark hold dpkg',
    undo: 'apt-mark unhold dpkg',
    says: /held or released since the update was prepared/,
  },
];

/** `lab-fault-01` and so on, in the order of the table. */
export function packageOf(index: number): string {
  return `lab-fault-${String(index + 1).padStart(2, '0')}`;
}

/** Makes all the packages of the table known to the machine, and installs their first versions. */
export async function plantFaults(machine: Machine): Promise<void> {
  const old: Deb[] = [];
  const debs = faults.flatMap(({ spec, packages, installed }, index) => {
    const name = packageOf(index);
    if (installed) old.push(debOf({ name, version: '1.0', ...installed }));
    const others = (packages ?? []).filter((other) => other !== name);
    return [name, ...others].map((each) => debOf({ name: each, version: '2.0', ...spec }));
  });
  await putRepository(machine, old, { suite: 'before', folder: '/srv/before' });
  await machine.run(
    `apt-get -q update && apt-get -q -y install ${old.map(({ spec }) => spec.name).join(' ')}`,
  );
  await putRepository(machine, debs, { suite: 'faults', folder: '/srv/faults' });
  await machine.run('apt-get -q update');
}
