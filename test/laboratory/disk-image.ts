import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { command } from './command.js';
import { holdMounts } from './held-mounts.js';
import type { Layer } from './machine.js';
import { Machine } from './machine.js';

/** What a disk looks like: a GPT with what the firmware wants first, then /boot if it is separate, then the root. */
export interface DiskLayout {
  firmware: 'bios' | 'uefi';
  /** btrfs: the root is the subvolume `@`, mounted by that name; btrfs-default: as the default subvolume, as openSUSE does. */
  root: 'btrfs' | 'btrfs-default' | 'ext4';
  /** /boot is an ext4 of its own. */
  separateBoot: boolean;
}

type Role = 'bios' | 'esp' | 'boot' | 'root';

interface Partition {
  role: Role;
  number: number;
  startMegabytes: number;
  megabytes: number;
}

const mega = 1024 * 1024;
const types: Readonly<Record<Role, string>> = {
  bios: '21686148-6449-6E6F-744E-656564454649',
  esp: 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B',
  boot: '0FC63DAF-8483-4772-8E79-3D69D8477DE4',
  root: '0FC63DAF-8483-4772-8E79-3D69D8477DE4',
};
const sizes: Readonly<Record<Role, number>> = { bios: 1, esp: 64, boot: 256, root: 3072 };
/** Fixed, so that fstab can be written beforehand. vfat has a short one. */
const uuids = {
  esp: '0FF1-1E0B',
  boot: '0ff11e00-0000-4000-8000-00000000b007',
  root: '0ff11e00-0000-4000-8000-000000000001',
};

export function partitionsOf(layout: DiskLayout): Partition[] {
  const roles: Role[] = [
    layout.firmware === 'bios' ? 'bios' : 'esp',
    ...(layout.separateBoot ? ['boot' as const] : []),
    'root',
  ];
  let startMegabytes = 1;
  return roles.map((role, index) => {
    const partition = { role, number: index + 1, startMegabytes, megabytes: sizes[role] };
    startMegabytes += partition.megabytes;
    return partition;
  });
}

/** Makes the image file with empty file systems, and copies the root of `layer` into them. */
export async function makeDiskImage(
  image: string,
  layout: DiskLayout,
  layer: Layer,
  scratch: string,
): Promise<void> {
  const partitions = partitionsOf(layout);
  const end = partitions.reduce((sum, { megabytes }) => sum + megabytes, 2);
  await command(['truncate', `--size=${end}M`, image]);
  const table = partitions.map(
    ({ role, startMegabytes, megabytes }) =>
      `start=${startMegabytes}MiB, size=${megabytes}MiB, type=${types[role]}\n`,
  );
  await command(['sfdisk', '--quiet', image], { input: `label: gpt\n${table.join('')}` });
  for (const partition of partitions) await makeFileSystem(image, partition, layout, scratch);
  const source = await Machine.on(layer);
  try {
    await mountDisk(image, layout, join(scratch, 'disk'), async (root) => {
      await command(['cp', '--archive', `${source.root}/.`, root]);
      await writeFile(join(root, 'etc/fstab'), fstabOf(layout));
    });
  } finally {
    await source.dispose();
  }
}

/** Offset loops: not every kernel that this runs on knows partition tables. */
function loopOptions({ startMegabytes, megabytes }: Partition): string {
  return `loop,offset=${startMegabytes * mega},sizelimit=${megabytes * mega}`;
}

async function makeFileSystem(
  image: string,
  partition: Partition,
  layout: DiskLayout,
  scratch: string,
): Promise<void> {
  if (partition.role === 'bios') return;
  const { startMegabytes, megabytes, role } = partition;
  const part = join(scratch, 'partition');
  await command(['truncate', `--size=${megabytes}M`, part]);
  const btrfs = role === 'root' && layout.root !== 'ext4';
  if (role === 'esp') await command(['mkfs.vfat', '-F', '32', '-i', uuids.esp.replace('-', ''), part]);
  else if (btrfs) await command(['mkfs.btrfs', '--quiet', '--uuid', uuids.root, part]);
  else await command(['mkfs.ext4', '-q', '-F', '-U', uuids[role], part]);
  const at = `seek=${startMegabytes}`;
  await command(['dd', `if=${part}`, `of=${image}`, 'bs=1M', at, 'conv=notrunc,sparse', 'status=none']);
  await command(['rm', part]);
  if (!btrfs) return;
  const top = join(scratch, 'top');
  await mkdir(top, { recursive: true });
  const mount = `mount -o ${loopOptions(partition)} ${image} ${top}`;
  const choose = layout.root === 'btrfs' ? '' : `&& btrfs subvolume set-default ${top}/@`;
  const create = `${mount} && btrfs subvolume create ${top}/@ ${choose} && umount ${top}`;
  await command(['unshare', '--mount', 'sh', '-c', create]);
}

const rootMounts: Readonly<Record<DiskLayout['root'], string>> = {
  btrfs: 'btrfs defaults,noatime,subvol=@ 0 0',
  'btrfs-default': 'btrfs defaults,noatime 0 0',
  ext4: 'ext4 defaults,noatime 0 1',
};

function fstabOf({ firmware, root, separateBoot }: DiskLayout): string {
  const lines = [`UUID=${uuids.root} / ${rootMounts[root]}\n`];
  if (separateBoot) lines.push(`UUID=${uuids.boot} /boot ext4 defaults,noatime 0 2\n`);
  if (firmware === 'uefi') lines.push(`UUID=${uuids.esp} /boot/efi vfat umask=0077 0 1\n`);
  return lines.join('');
}

/**
 * Mounts the file systems of a disk that no machine uses, as the machine has them, for as long as `action` runs. In a mount
 * namespace of its own: a container that starts meanwhile would keep a mount of ours, and the disk would not be whole.
 * The EFI system partition is a copy: not every kernel that this runs on knows vfat. What is written there is lost.
 */
export async function mountDisk<T>(
  image: string,
  layout: DiskLayout,
  at: string,
  action: (root: string) => Promise<T>,
): Promise<T> {
  const places: Readonly<Record<Exclude<Role, 'bios'>, string>> = { root: '', boot: 'boot', esp: 'boot/efi' };
  const mounts = partitionsOf(layout)
    .reverse()
    .flatMap((partition) => {
      if (partition.role === 'bios') return [];
      const place = join(at, places[partition.role]);
      if (partition.role === 'esp') return [copyOfEsp(image, partition, place)];
      const subvolume = partition.role === 'root' && layout.root === 'btrfs' ? ',subvol=@' : '';
      const options = `${loopOptions(partition)},noatime${subvolume}`;
      return [`mkdir -p ${place} && mount -o ${options} ${image} ${place}`];
    });
  await mkdir(at, { recursive: true });
  const holder = await holdMounts([...mounts, `cd ${at}`]);
  try {
    return await action(join('/proc', String(holder.pid), 'cwd'));
  } finally {
    await holder.release([`cd /; umount --recursive ${at}`]);
  }
}

function copyOfEsp(image: string, { startMegabytes }: Partition, place: string): string {
  const copy = `mcopy -s -m -i ${image}@@${startMegabytes}M :: ${place}/`;
  return `mkdir -p ${place} && mount -t tmpfs laboratory ${place} && ${copy}`;
}
