/** The last of what was written to a file, however much it is. Errors: the system errors of open(2) and read(2). */
import { open } from 'node:fs/promises';

/** From byte `from` on, of that at most the last `mostBytes`; its first line may be a part of one. */
export async function endOfFile(path: string, from: number, mostBytes: number): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const begin = Math.max(from, size - mostBytes);
    if (size <= begin) return '';
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - begin), 0, size - begin, begin);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
