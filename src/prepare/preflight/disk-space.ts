/**
 * Space to unpack. dpkg keeps old and new files of one package side by side and writes its own database; both are
 * covered by the margin. The packages themselves lie in the stage already.
 */
import type { Finding } from '../../update/finding.js';
import type { Check } from './context.js';

const MEBIBYTE = 1024 * 1024;
const MARGIN_BYTES = 64 * MEBIBYTE;
const INODES_NEEDED = 1000;

export const diskSpace: Check = {
  id: 'disk-space',
  async run({ paths, facts, staged }) {
    const growthBytes = Math.max(0, staged?.plan.payload.diskBytes ?? 0);
    const [root, state] = await Promise.all([facts.freeSpace(paths.root), facts.freeSpace(paths.state)]);
    return [
      ...tooLittle('/', root, growthBytes + MARGIN_BYTES),
      // The journal and the log of the update are written there in the update boot.
      ...(state.bytes === root.bytes ? [] : tooLittle('/var/lib/offline-update', state, MARGIN_BYTES)),
    ];
  },
};

function tooLittle(where: string, left: { bytes: number; inodes: number }, bytesNeeded: number): Finding[] {
  const finding = (evidence: string): Finding => ({
    check: 'disk-space',
    severity: 'block',
    evidence,
    remedy: 'make room, for example: apt-get clean; journalctl --vacuum-size=100M',
  });
  // Rounded apart, so that the two figures never look the same.
  const free = `${Math.floor(left.bytes / MEBIBYTE)} MiB`;
  const needed = `${Math.ceil(bytesNeeded / MEBIBYTE)} MiB`;
  return [
    ...(left.bytes < bytesNeeded ? [finding(`${where} has ${free} free, the update needs ${needed}`)] : []),
    ...(left.inodes < INODES_NEEDED ? [finding(`${where} has only ${left.inodes} inodes free`)] : []),
  ];
}
