// test.mjs [TIER... | FILE...]: runs the tests of the tiers named, of all tiers by default, or of the files named. A tier
// that this machine cannot run is skipped and says why. The last line is `N passed, N failed`; the exit status is 0
// only if nothing failed.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildBundles } from './build.mjs';
import { buildPackage } from './package.mjs';
import { TapSummary } from './tap-summary.mjs';
import { timeIsOver } from './time-is-over.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** In the order of running: the quick ones first; `onlyByName`: not by default. `folders` are those below test/; unit has all that no other tier has. */
const tiers = [
  { name: 'unit', folders: [], timeoutSeconds: 900, needs: [], env: { LC_ALL: 'sk' } },
  { name: 'bus', folders: ['bus'], timeoutSeconds: 120, needs: ['dbus-daemon'], env: { LC_ALL: 'sk' } },
  {
    name: 'apt',
    bootsMachines: true,
    folders: ['apt'],
    timeoutSeconds: 600,
    needs: ['root', 'a mount namespace', 'apt-get', 'mmdebstrap', 'dpkg-deb'],
  },
  {
    name: 'boot',
    bootsMachines: true,
    folders: ['laboratory', 'boot'],
    timeoutSeconds: 600,
    needs: ['root', 'a mount namespace', '/dev/loop-control', 'systemd-nspawn', 'mmdebstrap', 'dpkg-deb'],
  },
  {
    name: 'kernel',
    bootsMachines: true,
    folders: ['kernel'],
    onlyByName: true, // a processor is emulated: minutes a boot on a small machine
    timeoutSeconds: 3600,
    needs: [
      'root',
      'a mount namespace',
      '/dev/loop-control',
      'qemu-system-x86_64',
      'sfdisk',
      'mkfs.vfat',
      'mcopy',
      'mmdebstrap',
      'dpkg-deb',
    ],
  },
  {
    name: 'release',
    bootsMachines: true,
    folders: ['release'],
    onlyByName: true, // a quarter of an hour, and what it finds changes with Debian's archive
    timeoutSeconds: 3600,
    needs: ['root', 'a mount namespace', '/dev/loop-control', 'systemd-nspawn', 'mmdebstrap', 'mkfs.btrfs'],
  },
  {
    name: 'power',
    folders: ['power'],
    // not run again when it fails: no state may be an exception, not even once in a while
    // thousands of power cuts, where they are asked for, take as long as they take
    timeoutSeconds: process.env.OFFLINE_UPDATE_POWER_STATES ? 4 * 3600 : 1800,
    needs: [
      'root',
      'a mount namespace',
      '/dev/loop-control',
      'systemd-nspawn',
      'mmdebstrap',
      'dpkg-deb',
      'mkfs.btrfs',
      'mkfs.ext4',
      '/dev/fuse',
    ],
  },
];

const MOST_REPEATS = 2;
/** Loaded before each test file. */
const beginUntil = pathToFileURL(path.join(root, 'scripts/begin-until.mjs')).href;
const needsPackage = ['apt', 'boot', 'kernel', 'release', 'power'];

const wanted = process.argv.slice(2);
const known = new Set(tiers.map(({ name }) => name));
const unknown = wanted.filter((word) => !known.has(word) && !existsSync(path.join(root, word)));
if (unknown.length > 0) {
  console.error(`no such tier or file: ${unknown.join(', ')}; tiers: ${[...known].join(', ')}`);
  process.exit(2);
}

const summary = new TapSummary((line) => {
  console.log(line);
});
const flaky = [];
for (const run of await planRuns()) {
  await runTier(run);
  if (run.bootsMachines) await runFailedAgain(run);
}
for (const file of flaky) console.log(`FLAKY ${file}: failed, and passed when it was run again`);
console.log('');
if (summary.notBegun.size > 0) console.log(`NOT BEGUN: ${summary.notBegun.size} files`);
console.log(`${summary.passed} passed, ${summary.failed} failed`);
process.exitCode = summary.failed === 0 ? 0 : 1;

/** The tiers to run with their files, each prepared: bundles for all, the package where it is installed. */
async function planRuns() {
  const runs = [];
  const files = await testFiles();
  for (const tier of tiers) {
    const all = files.filter((file) => tierOf(file) === tier);
    const own = all.filter((file) => isWanted(tier, file));
    if (wanted.length === 0 && own.length < all.length)
      console.log(
        `# tier ${tier.name} skipped (${all.length} files): it runs by name, npm test -- ${tier.name}`,
      );
    const lacking = tier.needs.filter((need) => !has(need));
    if (own.length === 0) continue;
    if (lacking.length === 0) runs.push({ ...tier, files: own });
    else console.log(`# tier ${tier.name} skipped (${own.length} files): it needs ${lacking.join(' and ')}`);
  }
  const packaged = runs.some(({ name }) => needsPackage.includes(name));
  if (packaged) process.env.OFFLINE_UPDATE_DEB = await buildPackage();
  else if (runs.length > 0) await buildBundles();
  return runs;
}

function isWanted(tier, file) {
  return (
    (wanted.length === 0 && !tier.onlyByName) ||
    wanted.includes(tier.name) ||
    wanted.some((word) => path.normalize(word) === file)
  );
}

function tierOf(file) {
  const folder = file.split('/')[1];
  return tiers.find(({ folders }) => folders.includes(folder)) ?? tiers[0];
}

async function testFiles() {
  const names = await readdir(path.join(root, 'test'), { recursive: true });
  return names
    .filter((name) => name.endsWith('.test.ts') && !name.includes('fixtures/'))
    .map((name) => `test/${name}`)
    .sort();
}

function has(need) {
  if (need === 'root') return process.getuid() === 0;
  if (need.startsWith('/')) return existsSync(need);
  try {
    // root in a container may be refused what a machine of the laboratory is made of
    if (need === 'a mount namespace') execFileSync('unshare', ['--mount', 'true'], { stdio: 'ignore' });
    else execFileSync('/bin/sh', ['-c', 'command -v "$1"', 'sh', need], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** tap gives up the whole run when one file exceeds its time: the files that it did not come to are run again. */
async function runTier(tier) {
  console.log(`\n# tier ${tier.name}: ${tier.files.length} files`);
  let pending = tier.files;
  while (pending.length > 0) {
    const failedBefore = summary.failed;
    const status = await runTap(tier, pending);
    if (status !== 0 && summary.failed === failedBefore)
      summary.fail(`tier ${tier.name}: tap ended with ${status}`);
    const left = pending.filter((file) => !summary.files.has(file));
    if (left.length === pending.length) {
      for (const file of left) summary.fail(`${file}: not run`);
      return;
    }
    pending = left;
  }
}

/**
 * Whole machines on a loaded host: a file that failed is run again, alone, at most twice. It has failed if it never
 * passes; if it does, it is named at the end, with each failure in full above, for somebody to look into.
 */
async function runFailedAgain(tier) {
  for (const file of tier.files.filter((name) => summary.failures.has(name))) {
    for (let left = MOST_REPEATS; left > 0 && summary.failures.has(file) && !timeIsOver(); left -= 1) {
      console.log(`\n# again: ${file}`);
      summary.takeBack(file);
      await runTier({ ...tier, files: [file] });
    }
    if (!summary.failures.has(file)) flaky.push(file);
  }
}

/** Resolves with the exit status of tap, or with the signal that ended it. */
async function runTap({ timeoutSeconds, env }, files) {
  const args = ['run', '--reporter=tap', `--timeout=${timeoutSeconds}`, `--node-arg=--import=${beginUntil}`];
  const tap = spawn(path.join(root, 'node_modules/.bin/tap'), [...args, ...files], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve, reject) => {
    tap.once('error', reject);
    tap.once('close', (code, signal) => {
      resolve(code ?? signal);
    });
  });
  await summary.read(tap.stdout);
  return ended;
}
