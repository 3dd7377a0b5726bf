import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { mountOf, readMounts } from '../../src/host/mounts.js';
import { analyseLayout, type Layout } from '../../src/snapshots/btrfs/layout.js';
import { mendGrubText } from '../../src/snapshots/btrfs/boot-loader.js';
import { otherName, updateOf } from '../../src/snapshots/btrfs/names.js';

const id = '20261120T154935-3f2a';

interface Machine {
  machine: string;
  /** Of mountinfo: folder of the file system, type and source, options of the file system. */
  root?: [string, string, string];
  words?: string[];
  fstab?: string;
  defaultSubvolume?: number;
  layout: Layout;
}

const at = (name: string, number = 256): [string, string, string] => [
  `/${name}`,
  'btrfs /dev/vda2',
  `rw,space_cache=v2,subvolid=${number},subvol=/${name}`,
];
const byName = (name: string): Layout => ({ by: 'name', device: '/dev/vda2', name, id: 256 });
const nothing = (reason: string): Layout => ({ by: 'nothing', reason });
const fstab = (options: string): string =>
  `# /etc/fstab\nUUID=a0 / btrfs ${options} 0 0\nUUID=a0 /home btrfs subvol=@home 0 0\n`;

const machines: Machine[] = [
  {
    machine: 'Ubuntu: named by GRUB and in fstab',
    words: ['root=UUID=a0', 'ro', 'rootflags=subvol=@', 'quiet'],
    fstab: fstab('defaults,subvol=@'),
    layout: byName('@'),
  },
  {
    machine: 'Debian: @rootfs',
    root: at('@rootfs'),
    words: ['rootflags=subvol=@rootfs'],
    fstab: fstab('defaults,subvol=@rootfs'),
    layout: byName('@rootfs'),
  },
  {
    machine: 'Arch: with slashes, and other flags before and after',
    words: ['rootflags=compress=zstd,subvol=/@,noatime'],
    fstab: fstab('rw,noatime,subvol=/@'),
    layout: byName('@'),
  },
  { machine: 'named on the command line only', words: ['rootflags=subvol=@'], layout: byName('@') },
  {
    machine: 'named in fstab only, for an initrd that reads it',
    fstab: fstab('subvol=@'),
    layout: byName('@'),
  },
  {
    machine: 'the last of two words counts',
    words: ['rootflags=subvol=@old', 'rootflags=subvol=@'],
    layout: byName('@'),
  },
  {
    machine: 'openSUSE: the default subvolume, below another one',
    root: at('@/.snapshots/1/snapshot', 268),
    fstab: fstab('defaults'),
    defaultSubvolume: 268,
    layout: { by: 'default', device: '/dev/vda2', name: '@/.snapshots/1/snapshot', id: 268 },
  },
  {
    machine: 'ext4',
    root: ['/', 'ext4 /dev/vda2', 'rw'],
    layout: nothing('/ is ext4, not btrfs'),
  },
  {
    machine: 'the top level itself',
    root: ['/', 'btrfs /dev/vda2', 'rw,subvolid=5,subvol=/'],
    layout: nothing('/ is the top level of its file system, not a subvolume'),
  },
  {
    machine: 'a chroot in a folder',
    root: ['/@/srv/chroot', 'btrfs /dev/vda2', 'rw,subvolid=256,subvol=/@'],
    layout: nothing('/ is a folder in a subvolume'),
  },
  {
    machine: 'subvolid= on the command line',
    words: ['rootflags=subvolid=256'],
    layout: nothing('the kernel command line says subvolid='),
  },
  {
    machine: 'subvolid= beside subvol= in fstab',
    words: ['rootflags=subvol=@'],
    fstab: fstab('defaults,subvolid=256,subvol=/@'),
    layout: nothing('/etc/fstab mounts / by subvolid='),
  },
  {
    machine: 'subvolid= for another place only',
    words: ['rootflags=subvol=@'],
    fstab: 'UUID=a0 /home btrfs subvolid=300 0 0\n#UUID=a0 / btrfs subvolid=256 0 0\n',
    layout: byName('@'),
  },
  {
    machine: 'of two minds',
    words: ['rootflags=subvol=@'],
    fstab: fstab('subvol=@root'),
    layout: nothing('the kernel command line says subvol=@, /etc/fstab says subvol=@root'),
  },
  {
    machine: 'a snapshot chosen in the boot menu',
    root: at('@snapshots/7', 300),
    words: ['rootflags=subvol=@snapshots/7'],
    layout: nothing('the subvolume @snapshots/7 is not at the top level'),
  },
  {
    machine: 'moved away under the running system',
    root: at(`@.offline-update-${id}`),
    words: ['rootflags=subvol=@'],
    layout: nothing(`subvol=@ boots, but / is @.offline-update-${id} now`),
  },
  {
    machine: 'named in the first of two rootflags=, and no default subvolume',
    words: ['rootflags=subvol=@', 'rootflags=noatime'],
    layout: byName('@'),
  },
  {
    machine: 'named in the first of two rootflags=, and the default subvolume as well',
    words: ['rootflags=subvol=@', 'rootflags=noatime'],
    defaultSubvolume: 256,
    layout: nothing(
      'of several rootflags= on the kernel command line the last one says no subvol=, and there is a default subvolume: unclear which one counts',
    ),
  },
  {
    machine: 'no word on how it boots',
    fstab: fstab('defaults'),
    layout: nothing('nothing says that @ boots: no subvol= anywhere, and another default subvolume'),
  },
  {
    machine: 'named in fstab, and a default subvolume as well',
    fstab: fstab('subvol=@'),
    defaultSubvolume: 256,
    layout: nothing('/etc/fstab says subvol= and there is a default subvolume: unclear which one counts'),
  },
];

for (const { machine, root = at('@'), words = [], fstab = '', defaultSubvolume = 5, layout } of machines) {
  void t.test(`layout: ${machine}`, async (t) => {
    const [folder, typeAndSource, options] = root;
    const mountinfo = join(t.testdir(), 'mountinfo');
    writeFileSync(
      mountinfo,
      `21 20 0:5 / /dev rw - devtmpfs udev rw\n30 1 0:42 ${folder} / rw,noatime shared:1 - ${typeAndSource} ${options}\n`,
    );
    const facts = { kernelCommandLine: words, fstab, defaultSubvolume };
    t.strictSame(analyseLayout({ root: mountOf('/', await readMounts(mountinfo)), ...facts }), layout);
  });
}

void t.test('no mount, no fallback', (t) => {
  const facts = { root: undefined, kernelCommandLine: [], fstab: '', defaultSubvolume: 5 };
  t.strictSame(analyseLayout(facts), nothing('/ is no mount, not btrfs'));
  t.end();
});

void t.test('the other root keeps the name of the first, however often it was switched', (t) => {
  t.equal(otherName('@', id), `@.offline-update-${id}`);
  t.equal(otherName('@.offline-update-20250101T000000-0000', id), `@.offline-update-${id}`);
  t.equal(otherName('@/.snapshots/1/snapshot', id), `snapshot.offline-update-${id}`);
  t.end();
});

void t.test('only what is named by us is ours', (t) => {
  t.equal(updateOf(`@.offline-update-${id}`), id);
  const foreign = ['@', '@home', '@.offline-update-', `.offline-update-${id}`, `@.offline-update-${id}x`];
  t.strictSame(foreign.map(updateOf), [undefined, undefined, undefined, undefined, undefined]);
  fc.assert(fc.property(fc.string(), (name) => updateOf(name) === undefined));
  fc.assert(fc.property(fc.stringMatching(/^[@a-z][^/]*$/), (root) => updateOf(otherName(root, id)) === id));
  t.end();
});

void t.test('grub.cfg gets the name that boots, and nothing else changes', (t) => {
  const other = otherName('@', id);
  const text = (name: string): string =>
    [
      'search --no-floppy --fs-uuid --set=root a0',
      `linux /${name}/boot/vmlinuz-6.12 root=UUID=a0 ro rootflags=subvol=${name} quiet`,
      `initrd /${name}/boot/initrd.img-6.12`,
      `font="/${name}/usr/share/grub/unicode.pf2"`,
      'linux /@home/not/ours a@b',
    ].join('\n');
  t.equal(mendGrubText(text(other), other, '@'), text('@'));
  t.equal(mendGrubText(text('@'), other, '@'), text('@'));
  t.end();
});
