/**
 * Whether a kernel can be started by another one on this machine (kexec(8)), and whether that would be a reboot as it
 * should be: asked when it is foretold, and again when the update is installed. Whatever is in doubt is a reason.
 */
import { join } from 'node:path';
import { exists } from '../host/exists.js';
import type { FileSystem } from '../host/file-system.js';
import { namesIn, textOf } from '../host/if-there.js';
import { splitKernelWords } from '../host/kernel-command-line.js';
import type { RunningSystem } from '../host/running-system.js';
import type { PackageChange } from './plan.js';
import { belowTheKernel, bringsKernel } from './reboot-kind.js';
import { REBOOT_REQUIRED, rebootRequired } from './reboot-required.js';

/** Between why it is a full reboot and why that goes by the firmware; in plan, status and report. */
export function withoutKexec(because: string, obstacle: string): string {
  return `${because}; no kexec: ${obstacle}`;
}

/** As a sentence without its full stop; undefined where nothing speaks against it. */
export async function kexecObstacle(
  fs: FileSystem,
  root: string,
  running: RunningSystem,
  changes: readonly PackageChange[],
): Promise<string | undefined> {
  const names = changes.map(({ name }) => name);
  if (!bringsKernel(changes)) return 'the update brings no kernel';
  return (
    belowTheKernel(names) ??
    (running.kernelRelease === undefined ? 'a container has no kernel of its own' : undefined) ??
    (await noTools(fs, root, changes)) ??
    (await kernelRefuses(fs, root)) ??
    (await firmwareIsWanted(fs, root)) ??
    (await keysAreMeasured(fs, root))
  );
}

async function noTools(
  fs: FileSystem,
  root: string,
  changes: readonly PackageChange[],
): Promise<string | undefined> {
  const change = changes.find(({ name }) => name === 'kexec-tools');
  const isThere = change ? change.action !== 'remove' : await exists(fs, join(root, '/usr/sbin/kexec'));
  return isThere ? undefined : 'kexec-tools are not installed';
}

async function kernelRefuses(fs: FileSystem, root: string): Promise<string | undefined> {
  // Secure Boot: only signed images by another system call; what it takes is in doubt (kernel_lockdown(7)).
  const lockdown = await textOf(fs, join(root, '/sys/kernel/security/lockdown'));
  if (lockdown !== '' && !lockdown.includes('[none]')) return 'the kernel is locked down';
  const disabled = await textOf(fs, join(root, '/proc/sys/kernel/kexec_load_disabled'));
  return disabled.trim() === '1' ? 'kernel.kexec_load_disabled is set' : undefined;
}

const EFI_VARIABLES = '/sys/firmware/efi/efivars';
const GLOBAL = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
/** Before the value of a variable: its attributes, in 32 bits. */
const ATTRIBUTES_LENGTH = 4;

/** An update of the firmware that waits for the reboot, another system to boot once, microcode that another tool brought. */
async function firmwareIsWanted(fs: FileSystem, root: string): Promise<string | undefined> {
  const variable = (name: string): string => join(root, EFI_VARIABLES, `${name}-${GLOBAL}`);
  if (await exists(fs, variable('BootNext'))) return 'the firmware is told to boot something else once';
  const wishes = await textOf(fs, variable('OsIndications'));
  if (/[^\0]/.test(wishes.slice(ATTRIBUTES_LENGTH))) return 'the firmware has something to do in a reboot';
  const names = await rebootRequired(fs, root);
  if (names === undefined) return undefined;
  return names.length === 0 ? `${REBOOT_REQUIRED} does not say for what` : belowTheKernel(names);
}

/** A kexec does not begin the measurements of a TPM anew: a key that is sealed to them would stay locked. */
async function keysAreMeasured(fs: FileSystem, root: string): Promise<string | undefined> {
  if ((await namesIn(fs, join(root, '/sys/class/tpm'))).length === 0) return undefined;
  const entries = (await textOf(fs, join(root, '/etc/crypttab'))).split('\n');
  const words = splitKernelWords(await textOf(fs, join(root, '/proc/cmdline')));
  const isEncrypted =
    entries.some((line) => /^\s*[^#\s]/.test(line)) ||
    words.some((word) => /^(rd\.luks\.|luks\.|cryptdevice=)/.test(word));
  return isEncrypted ? 'the TPM may hold the key of a disk, by what this boot has measured' : undefined;
}
