/**
 * How far the network is up, as the kernel tells it: no program is asked, since none is sure to be installed.
 */
import { readdir, readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { isErrno } from './host-error.js';

export type IpFamily = 'IPv4' | 'IPv6';

export interface NetworkInterface {
  name: string;
  /** A device of the machine, unlike bridges, tunnels and what containers make. */
  isHardware: boolean;
  hasCarrier: boolean;
  /** Families with an address that reaches further than this link. */
  addresses: IpFamily[];
  defaultRoutes: IpFamily[];
}

export interface NetworkSources {
  /** `/sys/class/net`. */
  classFolder: string;
  /** `/proc/net`. */
  procFolder: string;
  addresses: typeof networkInterfaces;
}

const system: NetworkSources = {
  classFolder: '/sys/class/net',
  procFolder: '/proc/net',
  addresses: networkInterfaces,
};

/** All but the loopback, in byte order. */
export async function readNetwork(sources: NetworkSources = system): Promise<NetworkInterface[]> {
  const { classFolder, procFolder } = sources;
  const routes = {
    IPv4: defaultRoutes4(await textOf(join(procFolder, 'route'))),
    IPv6: defaultRoutes6(await textOf(join(procFolder, 'ipv6_route'))),
  };
  const addresses = sources.addresses();
  const names = (await readdir(classFolder)).filter((name) => name !== 'lo').sort();
  const found = await Promise.all(
    names.map(async (name) => {
      const parts = await partsOf(join(classFolder, name));
      if (!parts) return [];
      const families = (addresses[name] ?? []).filter(isGlobal).map(({ family }) => family);
      return [
        {
          name,
          isHardware: parts.includes('device'),
          hasCarrier: (await textOf(join(classFolder, name, 'carrier'))).trim() === '1',
          addresses: inOrder((family) => families.includes(family)),
          defaultRoutes: inOrder((family) => routes[family].includes(name)),
        },
      ];
    }),
  );
  return found.flat();
}

/** Undefined for what is no interface (the file `bonding_masters`), and for one that has just gone (of a container). */
async function partsOf(folder: string): Promise<string[] | undefined> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

function inOrder(has: (family: IpFamily) => boolean): IpFamily[] {
  return (['IPv4', 'IPv6'] as const).filter(has);
}

function isGlobal({ address, internal }: { address: string; internal: boolean }): boolean {
  return !internal && !/^(169\.254\.|fe[89ab])/i.test(address);
}

/** `Iface Destination Gateway Flags RefCnt Use Metric Mask ...`, numbers in hex. */
function defaultRoutes4(text: string): string[] {
  return rowsOf(text).flatMap(([name = '', destination, , , , , , mask]) =>
    destination === '00000000' && mask === '00000000' ? [name] : [],
  );
}

/** `destination length source length next-hop metric references use flags name`; the kernel keeps rejecting ones on lo. */
function defaultRoutes6(text: string): string[] {
  return rowsOf(text).flatMap((row) =>
    /^0{32}$/.test(row[0] ?? '') && row[1] === '00' ? [row[9] ?? ''] : [],
  );
}

function rowsOf(text: string): string[][] {
  return text.split('\n').map((line) => line.trim().split(/\s+/));
}

/** Empty where the kernel has no such family, and for the carrier of an interface that is switched off or has just gone. */
async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EINVAL', 'ENODEV')) return '';
    throw error;
  }
}
