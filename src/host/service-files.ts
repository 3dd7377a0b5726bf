/**
 * Services of this machine that run with one of these files: its program or a library, mapped into one of its processes
 * (proc_pid_maps(5)). The service is the one of the process's control group. What cannot be read is left out.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

export async function servicesUsing(files: ReadonlySet<string>, proc = '/proc'): Promise<string[]> {
  if (files.size === 0) return [];
  const read = (path: string): Promise<string> => readFile(join(proc, path), 'utf8').catch(() => '');
  const services = new Set<string>();
  for (const pid of (await readdir(proc)).filter((name) => /^\d+$/.test(name))) {
    const service = /\/([^/\n]+\.service)(?:\/|$)/m.exec(await read(`${pid}/cgroup`))?.[1];
    if (service === undefined || services.has(service)) continue;
    const maps = (await read(`${pid}/maps`)).matchAll(/ (\/[^\n]*?)(?: \(deleted\))?$/gm);
    if ([...maps].some(([, path]) => files.has(path ?? ''))) services.add(service);
  }
  return [...services].sort();
}
