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
    await endAgent(building);
  });
  return {
    publicKey: await readFile(join(folder, 'public.asc'), 'utf8'),
    sign: async (text) => {
      const signed = await gpg(folder, ['--digest-algo', 'SHA512', '--clearsign'], text);
      await endAgent(folder);
      return signed.stdout;
    },
  };
}

function gpg(home: string, args: readonly string[], input = '') {
  return command(['gpg', '--homedir', home, '--batch', '--quiet', '--pinentry-mode', 'loopback', ...args], {
    input,
  });
}

/** The agent stays for ever otherwise. */
function endAgent(home: string) {
  // Another process may have ended it at the same time.
  return command(['gpgconf', '--homedir', home, '--kill', 'all'], { check: false });
}
