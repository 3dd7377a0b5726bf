/** What may be missing: a file, folder or link that is not there is an answer, and every other error is one. */
import type { FileSystem } from './file-system.js';
import { isErrno } from './host-error.js';

/** Undefined when it is not there, nor what it lies in. Errors: all but `ENOENT` and `ENOTDIR`. */
export async function ifThere<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Empty when the file is not there. */
export async function textOf(fs: Pick<FileSystem, 'readFile'>, path: string): Promise<string> {
  return (await ifThere(fs.readFile(path))) ?? '';
}

/** Empty when the folder is not there. */
export async function namesIn(fs: Pick<FileSystem, 'readFolder'>, path: string): Promise<string[]> {
  return (await ifThere(fs.readFolder(path))) ?? [];
}
