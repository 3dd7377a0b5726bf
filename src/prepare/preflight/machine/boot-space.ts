/**
 * Space in a /boot of its own: a kernel package brings a kernel and makes an initramfs beside the present ones, and an
 * initramfs is written whole before it replaces the former one. Estimated from the largest that are there.
 */
import { join } from 'node:path';
import { mountOf } from '../../../host/mounts.js';
import type { Check, PreflightContext } from '../context.js';
import { systemFolder } from './system-file.js';

const MEBIBYTE = 1024 * 1024;
const MARGIN_BYTES = 16 * MEBIBYTE;
const bringsKernel = /^linux-image-|^kernel-/;
/** Their triggers or scripts make every initramfs anew. */
const makesInitramfs =
  /^(initramfs-tools|dracut|linux-image-|kernel-|systemd$|udev$|cryptsetup|lvm2$|mdadm$|plymouth)/;

export const bootSpace: Check = {
  id: 'boot-space',
  async run(context) {
    const { facts, staged } = context;
    if (!staged || mountOf('/boot', await facts.mounts())?.target !== '/boot') return [];
    const names = staged.plan.payload.changes.filter(({ to }) => to !== null).map(({ name }) => name);
    const kernels = names.filter((name) => bringsKernel.test(name)).length;
    const initramfs = names.some((name) => makesInitramfs.test(name)) ? 1 : 0;
    if (kernels + initramfs === 0) return [];
    const [kernelBytes, initramfsBytes] = await Promise.all([
      largest(context, /^vmlinuz/),
      largest(context, /^(initrd|initramfs)/),
    ]);
    const needed = kernels * (kernelBytes + initramfsBytes) + initramfs * initramfsBytes + MARGIN_BYTES;
    const { bytes } = await facts.freeSpace(join(context.paths.root, 'boot'));
    if (bytes >= needed) return [];
    return [
      {
        check: 'boot-space',
        severity: 'block',
        evidence: `/boot has ${Math.floor(bytes / MEBIBYTE)} MiB free, kernels and initramfs images may need ${Math.ceil(needed / MEBIBYTE)} MiB`,
        remedy: 'remove kernels that are no longer used: apt autoremove --purge',
      },
    ];
  },
};

async function largest(context: PreflightContext, name: RegExp): Promise<number> {
  const files = (await systemFolder(context, '/boot')).filter((file) => name.test(file));
  const sizes = files.map(
    async (file) => (await context.fs.lstat(join(context.paths.root, 'boot', file))).size,
  );
  return Math.max(0, ...(await Promise.all(sizes)));
}
