import type { DebSpec } from './deb-builder.js';

/**
 * The packages of the boot and apt tests, each in version 1 and version 2, named after what version 2 does. Version 1 always installs
 * without trouble. All scripts that say something say it with the prefix `lab:`.
 */
export interface FixturePackage {
  v1: DebSpec | undefined;
  /** Undefined: it is removed when the other one is upgraded. */
  v2: DebSpec | undefined;
}

const forever = 'infinity';

/** A pair whose version 2 differs from version 1 by what `second` adds. */
function pair(name: string, both: Partial<DebSpec> = {}, second: Partial<DebSpec> = {}): FixturePackage {
  const at = (version: string, further: Partial<DebSpec>): DebSpec => ({
    name,
    version,
    ...both,
    ...further,
    files: { [`/usr/share/${name}/version`]: `${version}\n`, ...both.files, ...further.files },
  });
  return { v1: at('1.0', {}), v2: at('2.0', second) };
}

function postinst(text: string): Partial<DebSpec> {
  return { scripts: { postinst: text } };
}

/** What debhelper's dh_installsystemd puts into a postinst (13.11, restart on upgrade), with its outcome told. */
const servicePostinst = `
if [ "$1" = configure ]; then
  deb-systemd-helper unmask lab-service.service >/dev/null || true
  if deb-systemd-helper --quiet was-enabled lab-service.service; then
    deb-systemd-helper enable lab-service.service >/dev/null || true
  else
    deb-systemd-helper update-state lab-service.service >/dev/null || true
  fi
  if [ -d /run/systemd/system ]; then
    systemctl --system daemon-reload >/dev/null || true
    if [ -n "$2" ]; then action=restart; else action=start; fi
    deb-systemd-invoke $action lab-service.service || echo "lab: deb-systemd-invoke failed"
    echo "lab: after $action $(systemctl is-active lab-service.service)"
  fi
fi`;

function template(version: number): string {
  return `Template: lab-debconf/question${version}\nType: string\nDefault: default${version}\nDescription: question ${version}?\n A made-up question.\n\n`;
}

function debconfScripts(version: number): NonNullable<DebSpec['scripts']> {
  const module = '#!/bin/sh\nset -e\n. /usr/share/debconf/confmodule\n';
  return {
    templates: Array.from({ length: version }, (_, index) => template(index + 1)).join(''),
    config: `${module}db_input critical lab-debconf/question${version} || true\ndb_go || true\n`,
    postinst: `${module}db_get lab-debconf/question${version}\necho "$RET" > /etc/lab-debconf.answer\n`,
  };
}

function conffile(version: number): Partial<DebSpec> {
  const text = `# as shipped in version ${version}\nvalue=${version}\n`;
  return { files: { '/etc/lab-conffile.conf': text, '/etc/lab-untouched.conf': text } };
}

function tiny(index: number): FixturePackage {
  const name = `lab-tiny-${String(index).padStart(3, '0')}`;
  return pair(name, { files: { [`/usr/share/lab-tiny/${name}`]: '' } });
}

const tinyCount = 5000;
const largeCount = 10;
const largeBytes = 20 << 20;

/** The first `count` (at most 5,000) of the packages that do nothing at all. */
export function tinyPackages(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `lab-tiny-${String(index + 1).padStart(3, '0')}`);
}

/** The packages whose version 2 has 20 MiB that no compressor makes smaller. */
export const largePackages: readonly string[] = Array.from(
  { length: largeCount },
  (_, index) => `lab-large-${String(index + 1).padStart(2, '0')}`,
);

const named = {
  /** An ordinary one, with a script that says what it was given. */
  'lab-good': pair(
    'lab-good',
    postinst('echo "lab: good postinst $*"; env | sort > /var/lib/lab-good.environment'),
  ),
  'lab-postinst-fails': pair('lab-postinst-fails', {}, postinst('echo "lab: failing" >&2; exit 1')),
  'lab-preinst-fails': pair('lab-preinst-fails', {}, { scripts: { preinst: 'exit 1' } }),
  /** Never ends, and uses no processor and no disk. */
  'lab-hangs': pair('lab-hangs', {}, postinst(`echo "lab: hanging"; exec sleep ${forever}`)),
  /** Silent for three seconds, but at work: it must not be taken for a stall. */
  'lab-slow': pair(
    'lab-slow',
    {},
    postinst('end=$(($(date +%s) + 3)); while [ "$(date +%s)" -lt $end ]; do :; done; echo "lab: slow done"'),
  ),
  /** Tells whether a sync of its scripts reaches the kernel: fsync(2) of a descriptor that is not open. */
  'lab-syncs': pair(
    'lab-syncs',
    {},
    postinst(`perl -e 'print "lab: fsync is ", (syscall(74, 99) == 0 ? "suppressed" : "real"), "\\n"'`),
  ),
  'lab-asks': pair(
    'lab-asks',
    {},
    postinst(
      'echo "lab: asking"; read -r a || echo "lab: end of input"; read -r b </dev/tty || echo "lab: no terminal"',
    ),
  ),
  /** Leaves a child that holds the standard output of the script. */
  'lab-leaves-child': pair(
    'lab-leaves-child',
    {},
    postinst(`setsid sleep ${forever} & echo "lab: child left"`),
  ),
  'lab-conffile': pair(
    'lab-conffile',
    { ...conffile(1), conffiles: ['/etc/lab-conffile.conf', '/etc/lab-untouched.conf'] },
    conffile(2),
  ),
  'lab-debconf': pair(
    'lab-debconf',
    { depends: 'debconf', scripts: debconfScripts(1) },
    { scripts: debconfScripts(2) },
  ),
  'lab-service': pair('lab-service', {
    depends: 'init-system-helpers',
    files: {
      '/usr/bin/lab-service': `#!/bin/sh\nexec sleep ${forever}\n`,
      '/usr/lib/systemd/system/lab-service.service':
        '[Unit]\nDescription=Laboratory service\n[Service]\nExecStart=/usr/bin/lab-service\n[Install]\nWantedBy=multi-user.target\n',
    },
    ...postinst(servicePostinst),
  }),
  /** Its postinst runs for a trigger on the folder of all tiny packages. */
  'lab-trigger': pair('lab-trigger', {
    scripts: {
      triggers: 'interest-noawait /usr/share/lab-tiny\n',
      postinst: 'echo "lab: trigger postinst $*"',
    },
  }),
  /** Renews the boot loader and its menu, as grub-pc does and kernels' hooks do. */
  'lab-boot-loader': pair(
    'lab-boot-loader',
    {},
    postinst(
      `grub-install --target=i386-pc '--comment=two words' /dev/vda\nif command -v update-grub; then update-grub; fi`,
    ),
  ),
  'lab-big': pair('lab-big', { sizeBytes: 8 << 20 }),
  'lab-library': pair('lab-library'),
  /** Needs the library in exactly its own version. */
  'lab-program': pair('lab-program', { depends: 'lab-library (= 1.0)' }, { depends: 'lab-library (= 2.0)' }),
  /** Removed when lab-new is upgraded. */
  'lab-old': { ...pair('lab-old'), v2: undefined },
  'lab-new': pair('lab-new', {}, { control: { Conflicts: 'lab-old', Replaces: 'lab-old' } }),
  /** Only there in version 2, pulled in by lab-needs-more. */
  'lab-more': { ...pair('lab-more'), v1: undefined },
  'lab-needs-more': pair('lab-needs-more', {}, { depends: 'lab-more' }),
  /** Of one architecture, with an epoch: `%3a` in the file names of apt. */
  'lab-epoch': {
    v1: {
      name: 'lab-epoch',
      version: '1:1.0-1',
      architecture: 'amd64',
      files: { '/usr/share/lab-epoch/version': '1\n' },
    },
    v2: {
      name: 'lab-epoch',
      version: '1:2.0-1+b1',
      architecture: 'amd64',
      files: { '/usr/share/lab-epoch/version': '2\n' },
    },
  },
} satisfies Record<string, FixturePackage>;

export const fixturePackages: ReadonlyMap<string, FixturePackage> = new Map<string, FixturePackage>([
  ...Object.entries(named),
  ...Array.from({ length: tinyCount }, (_, index): [string, FixturePackage] => {
    const fixture = tiny(index + 1);
    return [fixture.v1?.name ?? '', fixture];
  }),
  ...largePackages.map((name): [string, FixturePackage] => [name, pair(name, {}, { sizeBytes: largeBytes })]),
]);
