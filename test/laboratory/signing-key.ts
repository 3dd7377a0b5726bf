import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cachedFolder } from './cache.js';
import { command } from './command.js';

const user = 'Laboratory repository <laboratory@localhost>';

/** A key pair made once for this machine's laboratory; none is ever published or trusted outside of it. */
export interface SigningKey {
  /** The public key, armoured. */
  publicKey: string;
  /** `text` clear-signed, as an InRelease file is. */
  sign: (text: string) => Promise<string>;
}

export async function signingKey(): Promise<SigningKey> {
  const folder = await cachedFolder('keys', 'repository', { user, version: 1 }, async (building) => {
    await gpg(building, ['--passphrase', '', '--quick-generate-key', user, 'ed25519', 'sign', 'never']);
    const { stdout } = await gpg(building, ['--armor', '--export', user]);
    await writeFile(join(building, 'public.asc'), stdout);
  });
  return {
    publicKey: await readFile(join(folder, 'public.asc'), 'utf8'),
    sign: async (text) => (await gpg(folder, ['--digest-algo', 'SHA512', '--clearsign'], text)).stdout,
  };
}

/**
 * The agent stays for ever otherwise; and whoever ends it must not end that of another process that is just signing: one at
 * a time. The agent itself does not get the lock (`--close`).
 */
const alone = 'gpg --homedir "$0" "$@"; status=$?; gpgconf --homedir "$0" --kill all; exit "$status"';

function gpg(home: string, args: readonly string[], input = '') {
  const words = ['--batch', '--quiet', '--pinentry-mode', 'loopback', ...args];
  return command(['flock', '--close', home, 'sh', '-c', alone, home, ...words], { input });
}
