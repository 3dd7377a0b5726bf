/**
 * grub-pc installs itself on the disks that debconf remembers. Where none is, or one is gone, it asks; where nobody
 * can answer, its postinst fails, and with it the update.
 */
import { join } from 'node:path';
import { exists } from '../../../../host/exists.js';
import { isErrno } from '../../../../host/host-error.js';
import type { Finding } from '../../../../update/finding.js';
import type { Advice, AdvicePorts } from './apt-advice.js';

export const grubDevices: Advice = async (ports, plan) => {
  if (!plan.changes.some(({ name, to }) => name === 'grub-pc' && to !== null)) return [];
  const answers = await readAnswers(ports);
  if (answers.get('grub-pc/install_devices_empty') === 'true') return [];
  const devices = (answers.get('grub-pc/install_devices') ?? '').split(/,\s*/).filter((name) => name !== '');
  if (devices.length === 0) return [refusal('debconf remembers no disk for GRUB to install itself on')];
  const isThere = await Promise.all(devices.map((device) => exists(ports.files, join(ports.root, device))));
  const gone = devices.filter((_, index) => !isThere[index]);
  return gone.length === 0
    ? []
    : [refusal(`GRUB would install itself on ${gone.join(', ')}, which is not there`)];
};

function refusal(evidence: string): Finding {
  return {
    check: 'grub-devices',
    severity: 'block',
    evidence: `${evidence}: grub-pc would fail in the update`,
    remedy: 'dpkg-reconfigure grub-pc',
  };
}

/** Answers by question. Stanzas of `Name:`, `Value:`... (debconf's own flat database). */
async function readAnswers({ files, root }: AdvicePorts): Promise<Map<string, string>> {
  const path = join(root, '/var/cache/debconf/config.dat');
  const text = await files.readFile(path).catch((error: unknown) => {
    if (isErrno(error, 'ENOENT')) return '';
    throw error;
  });
  const stanzas = text.split('\n\n').map((stanza) => {
    const field = (name: string) => new RegExp(`^${name}: *(.*)$`, 'm').exec(stanza)?.[1] ?? '';
    return [field('Name'), field('Value')] as const;
  });
  return new Map(stanzas.filter(([name]) => name !== ''));
}
