/** All of the bytes, at the present position of the descriptor, which a child that is given it shares: write(2) may take fewer. */
import { write } from 'node:fs';
import { promisify } from 'node:util';

const writeSome = promisify(write);

export async function writeAll(descriptor: number, bytes: Buffer): Promise<void> {
  for (let done = 0; done < bytes.length;)
    done += (await writeSome(descriptor, bytes, done, bytes.length - done, null)).bytesWritten;
}
