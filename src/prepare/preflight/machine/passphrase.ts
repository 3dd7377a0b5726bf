/** A disk that is opened by a person: the machine waits for them in the update boot, and again in the boot after it. */
import type { Check } from '../context.js';
import { systemTable } from './system-file.js';

const opensByItself = /(^|,)(tpm2-device=|fido2-device=|pkcs11-uri=|noauto|nofail)/;

export const passphrase: Check = {
  id: 'passphrase',
  async run(context) {
    const asking = (await systemTable(context, '/etc/crypttab'))
      .filter(
        ([, , key = 'none', options = '']) => (key === 'none' || key === '-') && !opensByItself.test(options),
      )
      .map(([name = '']) => name);
    if (asking.length === 0) return [];
    return [
      {
        check: 'passphrase',
        severity: 'warn',
        evidence: `${asking.join(', ')} of /etc/crypttab is opened by a passphrase: somebody has to type it in each boot`,
        remedy: 'stay with the machine, or enroll a TPM: systemd-cryptenroll --tpm2-device=auto',
      },
    ];
  },
};
