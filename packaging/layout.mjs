// What is installed where: the one table that every package format is made from. Sources are relative to the top of
// the source tree (`dist/` is made by scripts/build.mjs), or a function that makes the text out of command line, policy
// and units (scripts/paper-sources.mjs). A name ending in `.gz` is compressed on the way.
import { bashCompletion, fishCompletion, zshCompletion } from './papers/completions.mjs';
import { manPage, manPages } from './papers/man-pages.mjs';

const library = '/usr/lib/offline-update';
const units = '/usr/lib/systemd/system';
const integrations = '/usr/share/offline-update/integrations';
const documentation = '/usr/share/doc/offline-update';

/** @type {{ from: string | ((sources: object) => string), to: string, mode: number, conffile?: true }[]} */
export const files = [
  { from: 'units/offline-update', to: '/usr/bin/offline-update', mode: 0o755 },
  { from: 'dist/offline-update.cjs', to: `${library}/offline-update.cjs`, mode: 0o644 },
  { from: 'dist/offline-update.cjs.map', to: `${library}/offline-update.cjs.map`, mode: 0o644 },
  { from: 'dist/generator.cjs', to: `${library}/generator.cjs`, mode: 0o644 },
  { from: 'dist/generator.cjs.map', to: `${library}/generator.cjs.map`, mode: 0o644 },
  { from: 'dist/update-service.cjs', to: `${library}/update-service.cjs`, mode: 0o644 },
  { from: 'dist/update-service.cjs.map', to: `${library}/update-service.cjs.map`, mode: 0o644 },
  ...[
    'claim',
    'rescue',
    'roll-forward',
    'restore',
    'boot-files',
    'lend-modules',
    'guard',
    'leave',
    'throw-away-root',
    'unsettled',
    'make-warm-start',
    'read-ahead',
    'begin',
    'ahead',
  ].map((name) => ({
    from: `units/${name}`,
    to: `${library}/${name}`,
    mode: 0o755,
  })),
  { from: 'units/packages-changed', to: `${library}/packages-changed`, mode: 0o755 },
  // In the PATH of maintainer scripts, under the name of what it stands before.
  { from: 'units/grub-install', to: `${library}/stand-ins/grub-install`, mode: 0o755 },
  // Sourced by those above, never run.
  { from: 'units/links', to: `${library}/links`, mode: 0o644 },
  { from: 'units/warm-start', to: `${library}/warm-start`, mode: 0o644 },
  {
    from: 'units/offline-update-generator',
    to: '/usr/lib/systemd/system-generators/offline-update-generator',
    mode: 0o755,
  },
  ...[
    '',
    '-ahead',
    '-rescue',
    '-guard',
    '-boot-files',
    '-lend-modules',
    '-recover',
    '-confirm',
    '-stale',
    '-bus',
  ]
    .concat('-scheduled', '-prepare', '-trigger')
    .map((part) => `offline-update${part}.service`)
    // Not enabled.
    .concat('offline-update-prepare.timer', 'offline-update-trigger.timer')
    .map((name) => ({ from: `units/${name}`, to: `${units}/${name}`, mode: 0o644 })),
  {
    from: 'src/bus-service/org.offlineupdate1.Manager.xml',
    to: '/usr/share/dbus-1/interfaces/org.offlineupdate1.Manager.xml',
    mode: 0o644,
  },
  {
    from: 'packaging/dbus/org.offlineupdate1.service',
    to: '/usr/share/dbus-1/system-services/org.offlineupdate1.service',
    mode: 0o644,
  },
  {
    from: 'packaging/dbus/org.offlineupdate1.conf',
    to: '/usr/share/dbus-1/system.d/org.offlineupdate1.conf',
    mode: 0o644,
  },
  {
    from: 'packaging/dbus/org.offlineupdate1.policy',
    to: '/usr/share/polkit-1/actions/org.offlineupdate1.policy',
    mode: 0o644,
  },
  {
    from: 'packaging/config.toml',
    to: '/etc/offline-update/config.toml',
    mode: 0o644,
    conffile: true,
  },
  { from: 'packaging/apt.conf', to: '/etc/apt/apt.conf.d/80offline-update', mode: 0o644, conffile: true },
  // For other package managers; active once the administrator links them (docs/plugins.md).
  ...['request', 'hand-over', 'dnf5/transaction', 'pacman/transaction', 'zypper/zypper-offline-update'].map(
    (name) => integration(name, 0o755),
  ),
  ...[
    'dnf5/offline-update.actions',
    'pacman/90-offline-update-in.hook',
    'pacman/91-offline-update-out.hook',
    'pacman/92-offline-update.hook',
  ].map((name) => integration(name, 0o644)),
  {
    from: 'packaging/offline-update.catalog',
    to: '/usr/lib/systemd/catalog/offline-update.catalog',
    mode: 0o644,
  },
  ...manPages.map((name) => ({
    from: (sources) => manPage(name, sources),
    to: `/usr/share/man/man${name.at(-1)}/${name}.gz`,
    mode: 0o644,
  })),
  { from: bashCompletion, to: '/usr/share/bash-completion/completions/offline-update', mode: 0o644 },
  { from: zshCompletion, to: '/usr/share/zsh/vendor-completions/_offline-update', mode: 0o644 },
  { from: fishCompletion, to: '/usr/share/fish/vendor_completions.d/offline-update.fish', mode: 0o644 },
  { from: 'README.md', to: `${documentation}/README.md`, mode: 0o644 },
  // Wanted where there is no network.
  {
    from: 'docs/recovering-by-hand.md',
    to: `${documentation}/recovering-by-hand.md`,
    mode: 0o644,
  },
  // What a refused request of a plugin is told to read.
  ...['plugins.md', 'schema/plugin-request.schema.json'].map((name) => ({
    from: `docs/${name}`,
    to: `${documentation}/${name}`,
    mode: 0o644,
  })),
  { from: 'dist/THIRD-PARTY-NOTICES', to: `${documentation}/THIRD-PARTY-NOTICES.gz`, mode: 0o644 },
];

/** Files of `units/` that are not installed under their own line above, each with its reason. */
export const notInstalled = [];

/** @type {{ at: string, target: string }[]} */
export const links = [
  // Shown at each log-in (pam_motd(8)); dangling as long as there is nothing to say.
  { at: '/usr/lib/motd.d/offline-update', target: '/var/lib/offline-update/motd' },
  // Static, so that no `systemctl enable` is needed and no `preset` can take them away.
  wantedBy('system-update.target', 'offline-update.service'),
  wantedBy('system-update.target', 'offline-update-guard.service'),
  wantedBy('sysinit.target', 'offline-update-boot-files.service'),
  wantedBy('sysinit.target', 'offline-update-lend-modules.service'),
  // In every ordinary boot, whatever default.target is; never in an update boot, nor in rescue and emergency mode.
  wantedBy('basic.target', 'offline-update-recover.service'),
  wantedBy('basic.target', 'offline-update-confirm.service'),
  wantedBy('basic.target', 'offline-update-scheduled.service'),
  {
    at: `${units}/boot-complete.target.requires/offline-update-confirm.service`,
    target: '../offline-update-confirm.service',
  },
];

function integration(name, mode) {
  return { from: `packaging/integrations/${name}`, to: `${integrations}/${name}`, mode };
}

function wantedBy(target, unit) {
  return { at: `${units}/${target}.wants/${unit}`, target: `../${unit}` };
}

/** Made empty; the administrator fills them. */
export const folders = [
  '/etc/offline-update/config.d',
  '/etc/offline-update/health.d',
  '/etc/offline-update/health.d/required.d',
  '/etc/offline-update/health.d/wanted.d',
  '/etc/offline-update/before-install.d',
  '/etc/offline-update/after-install.d',
  // The start-up snapshots.
  '/var/cache/offline-update',
];
