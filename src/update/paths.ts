/**
 * Every path of the product, made in one place and rooted anywhere (`--root`), so that each part runs against a test
 * tree. The shell scripts in `units/` know the same paths: a test compares both.
 */
import { join } from 'node:path';

export interface Paths {
  root: string;
  /** Where the sealed plan and its files lie; what the trigger points to. */
  stage: string;
  /** Where `prepare` builds; swapped with `stage` in one step. */
  nextStage: string;
  /** The stage that was replaced, where two folders cannot be swapped in one step; gone a moment later. */
  formerStage: string;
  /** `/var/lib/offline-update`: what outlives an update. */
  state: string;
  updates: string;
  /** A symlink to the folder of the update that has no verdict yet; units start only if it is there. */
  open: string;
  /** One boot id a line: claims made by the shell, a ceiling that needs no Node. */
  claims: string;
  /** Left by the rescue script, read by `recover`. */
  rescued: string;
  /** Lies in a fallback only: this root booted because the update did not complete. */
  fallbackMark: string;
  /** One folder an update: what provider `copy` saved of it. */
  fallbacks: string;
  /** A link to the one that the next update boot puts back (units/rescue), and its name once that is done. */
  copyArmed: string;
  copyRestored: string;
  /** This boot is an update boot of ours, and nobody has led out of it yet. */
  updateBoot: string;
  /** In this boot, a fallback boots next: the shell scripts neither roll forward nor stay in this root. */
  fallbackArmed: string;
  /** Who waits for a soft-reboot into the update boot, for units/begin (update-service/ahead.ts). */
  ahead: string;
  /** What units/grub-install put off, a file a call. */
  bootLoaderCalls: string;
  /** When the prepared update is to be installed. */
  scheduled: string;
  /** The reboot that was asked for at that time, of this boot. */
  shutdown: string;
  /** The wished end, one word, for the shell scripts. */
  action: string;
  /** What a rehearsal writes where memory is too small for it; gone with it. */
  rehearsalFolder: string;
  /** The line that is shown at each log-in. */
  motd: string;
  lock: string;
  /** Start-up snapshots of our programs, as units/make-warm-start left them. */
  warmStarts: string;
  runFolder: string;
  statusFile: string;
  config: string;
  configFolder: string;
  hooksBefore: string;
  hooksAfter: string;
  healthChecks: string;
  /** In the order in which systemd's generator looks. */
  triggers: readonly [string, string];
  library: string;
  /** The description of our object on the bus (bus-service). */
  busInterface: string;
}

/** What the link says: absolute, and the same whatever `root` is, since it is read after the boot. */
export const TRIGGER_TARGET = '/var/lib/system-update';

export const CLAIMED_SUFFIX = '.claimed';

export function pathsBelow(root = '/'): Paths {
  const at = (path: string) => join(root, path);
  const state = at('/var/lib/offline-update');
  return {
    root,
    stage: at(TRIGGER_TARGET),
    nextStage: at('/var/lib/system-update.next'),
    formerStage: at('/var/lib/system-update.former'),
    state,
    updates: join(state, 'updates'),
    open: join(state, 'open'),
    claims: join(state, 'claims'),
    rescued: join(state, 'rescued'),
    fallbackMark: join(state, 'fallback.json'),
    fallbacks: join(state, 'fallbacks'),
    copyArmed: join(state, 'fallbacks/armed'),
    copyRestored: join(state, 'fallbacks/restored'),
    updateBoot: at('/run/offline-update/update-boot'),
    fallbackArmed: at('/run/offline-update/fallback-armed'),
    ahead: at('/run/offline-update/ahead'),
    bootLoaderCalls: join(state, 'grub-install'),
    scheduled: join(state, 'scheduled.json'),
    shutdown: at('/run/offline-update/shutdown.json'),
    action: join(state, 'action'),
    rehearsalFolder: join(state, 'rehearsal'),
    motd: join(state, 'motd'),
    lock: at('/run/offline-update/lock'),
    warmStarts: at('/var/cache/offline-update'),
    runFolder: at('/run/offline-update'),
    statusFile: at('/run/offline-update/status.json'),
    config: at('/etc/offline-update/config.toml'),
    configFolder: at('/etc/offline-update/config.d'),
    hooksBefore: at('/etc/offline-update/before-install.d'),
    hooksAfter: at('/etc/offline-update/after-install.d'),
    healthChecks: at('/etc/offline-update/health.d'),
    triggers: [at('/system-update'), at('/etc/system-update')],
    library: at('/usr/lib/offline-update'),
    busInterface: at('/usr/share/dbus-1/interfaces/org.offlineupdate1.Manager.xml'),
  };
}

export interface UpdatePaths {
  folder: string;
  plan: string;
  journal: string;
  /** How healthy the machine was when it was armed. */
  baseline: string;
  report: string;
  rehearsal: string;
  terminalLog: string;
}

export function pathsOfUpdate(paths: Paths, id: string): UpdatePaths {
  const folder = join(paths.updates, id);
  return {
    folder,
    plan: join(folder, 'plan.json'),
    journal: join(folder, 'journal.jsonl'),
    baseline: join(folder, 'baseline.json'),
    report: join(folder, 'report.json'),
    rehearsal: join(folder, 'rehearsal.json'),
    terminalLog: join(folder, 'term.log'),
  };
}

/** The files of a stage, relative to it. */
export const stageLayout = {
  plan: 'plan.json',
  packages: 'packages',
  lists: 'lists',
  /** Which of the packages are not byte for byte what was downloaded, for a later `prepare`. */
  recompressed: 'recompressed.jsonl',
} as const;
