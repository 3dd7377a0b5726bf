/** The root that boots next, found from the disk as the next boot will find it: is it the fallback, and would it boot? */
import { basename, join } from 'node:path';
import { exists } from '../../host/exists.js';
import { readKernelCommandLine } from '../../host/kernel-command-line.js';
import type { Finding } from '../../update/finding.js';
import { readMark } from '../../update/fallback-mark.js';
import { pathsBelow } from '../../update/paths.js';
import { bootEntries, type BootEntry } from '../../update/boot-entries.js';
import { ask, mounted } from './btrfs-command.js';
import { bootWords, type UsableLayout } from './layout.js';
import type { Reference } from './reference.js';
import type { BtrfsPorts } from './top-level.js';

/** Findings of severity `info` are what was proven, `block` what would keep the fallback from booting. */
export async function proveFallback(
  ports: BtrfsPorts,
  layout: UsableLayout,
  reference: Reference,
  id: string,
): Promise<Finding[]> {
  const { paths, run, fs } = ports;
  // By the word that the kernel gets, or by none: then it takes the default subvolume.
  const options = layout.by === 'name' ? `ro,subvol=${layout.name}` : 'ro';
  return mounted(
    { run, fs, folder: join(paths.runFolder, 'next-root') },
    layout.device,
    options,
    async (next) => [
      ...(await identity(ports, next, reference, id)),
      ...(await words(ports, next, layout)),
      ...(await programs(ports, next)),
      ...(await kernels(ports, next, layout)),
    ],
  );
}

async function identity(
  { fs, run }: BtrfsPorts,
  next: string,
  { otherId }: Reference,
  id: string,
): Promise<Finding[]> {
  const found = Number(await ask(run, 'btrfs', 'inspect-internal', 'rootid', next));
  const mark = await readMark(fs, pathsBelow(next).fallbackMark);
  return found === otherId && mark?.id === id && mark.role === 'drill'
    ? [proven('root', `the root that boots next is the snapshot (subvolume ${found}), and knows what it is`)]
    : [broken('root', `subvolume ${found} boots next, not the snapshot ${otherId}`)];
}

/** What this boot was told and what the fallback's own fstab says must lead to the same root again. */
async function words(
  { fs, kernel }: BtrfsPorts,
  next: string,
  { by, name }: UsableLayout,
): Promise<Finding[]> {
  const fstab = join(next, 'etc/fstab');
  const kernelCommandLine = await (kernel?.commandLine() ?? readKernelCommandLine());
  const said = bootWords({
    kernelCommandLine,
    fstab: (await exists(fs, fstab)) ? await fs.readFile(fstab) : '',
  });
  const other = said.filter(({ subvolume }) => subvolume !== name);
  if (other.length > 0) {
    return other.map(({ where, subvolume }) => broken('words', `${where} says subvol=${subvolume}`));
  }
  return by === 'name' && said.length === 0
    ? [broken('words', `neither the kernel command line nor /etc/fstab of the fallback says subvol=${name}`)]
    : [proven('words', said.length === 0 ? 'no subvol= anywhere, the default counts' : saidText(said, name))];
}

function saidText(said: readonly { where: string }[], name: string): string {
  return `${said.map(({ where }) => where).join(' and ')} of the fallback say subvol=${name}`;
}

async function programs({ fs }: BtrfsPorts, next: string): Promise<Finding[]> {
  for (const path of ['usr/lib/systemd/systemd', 'lib/systemd/systemd']) {
    if (await exists(fs, join(next, path))) return [];
  }
  return [broken('init', 'there is no systemd in the fallback')];
}

async function kernels({ fs }: BtrfsPorts, next: string, { name }: UsableLayout): Promise<Finding[]> {
  const entries = await bootEntries(fs, next);
  if (entries.length === 0) {
    const why = 'no configuration of a boot loader in /boot: what chooses the kernel could not be looked at';
    return [{ check: 'drill-kernel', severity: 'warn', evidence: why, remedy: 'none in a container' }];
  }
  const findings = await Promise.all(entries.map((entry) => ofEntry(fs, next, name, entry)));
  const bad = findings.flat();
  const count = `${entries.length} ${entries.length === 1 ? 'entry' : 'entries'}`;
  return bad.length > 0
    ? bad
    : [
        proven(
          'kernel',
          `${count} in ${entries[0]?.file ?? ''}: kernel, initrd and modules are in the fallback`,
        ),
      ];
}

async function ofEntry(
  fs: BtrfsPorts['fs'],
  next: string,
  name: string,
  { file, kernel, initrds, words: given }: BootEntry,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const path of [kernel, ...initrds]) {
    if (!(await exists(fs, join(next, withinRoot(path, name)))))
      findings.push(broken('kernel', `${file} names ${path}, which the fallback does not hold`));
  }
  for (const { where, subvolume } of bootWords({ kernelCommandLine: given, fstab: '' })) {
    if (subvolume !== name) findings.push(broken('words', `${file}: ${where} says subvol=${subvolume}`));
  }
  const version = /^vmlinu[xz]-(.+)$/.exec(basename(kernel))?.[1];
  if (version !== undefined && !(await hasModules(fs, next, version)))
    findings.push(broken('kernel', `the fallback has no modules for ${basename(kernel)}`));
  return findings;
}

/** `/@/boot/vmlinuz-6.12`, as GRUB says it from the top level; `/boot/vmlinuz-6.12` where it starts at the root. */
function withinRoot(path: string, name: string): string {
  return path.startsWith(`/${name}/`) ? path.slice(name.length + 1) : path;
}

async function hasModules(fs: BtrfsPorts['fs'], next: string, version: string): Promise<boolean> {
  for (const folder of ['usr/lib/modules', 'lib/modules']) {
    if (await exists(fs, join(next, folder, version))) return true;
  }
  return false;
}

function proven(check: string, evidence: string): Finding {
  return { check: `drill-${check}`, severity: 'info', evidence, remedy: '' };
}

function broken(check: string, evidence: string): Finding {
  return {
    check: `drill-${check}`,
    severity: 'block',
    evidence,
    remedy: 'put this right before an update relies on it',
  };
}
