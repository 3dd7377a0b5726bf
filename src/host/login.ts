/**
 * What logind and NetworkManager know of the people and locks on this machine. Where they do not run nobody is logged in
 * and nothing is locked: every answer is then the empty one. Errors: `BUS_TIMEOUT`, `BUS_GONE` when one is there and
 * does not answer.
 */
import { existsSync } from 'node:fs';
import { callOnce, propertyCall, type BusCall } from './bus.js';
import { isHostError } from './host-error.js';
import { logind } from './logind.js';

export interface Inhibitor {
  who: string;
  why: string;
}

const DEADLINE_MILLISECONDS = 5_000;
const FIRST_USER_ID = 1000;

/** Locks of the mode `block` on a shutdown. */
export async function shutdownInhibitors(
  address?: string,
  deadlineMilliseconds?: number,
): Promise<Inhibitor[]> {
  const [locks] = (await ask({ ...logind, member: 'ListInhibitors' }, address, deadlineMilliseconds)) as [
    LockRow[]?,
  ];
  return (locks ?? [])
    .filter(([what, , , mode]) => mode === 'block' && what.split(':').includes('shutdown'))
    .map(([, who, why]) => ({ who, why }));
}

/**
 * Names of the people with a session other than the calling one; greeters are no people, nor are the service managers of
 * users, which have a session of their own since systemd 256: one beside each log-in, and one for as long as it is up for
 * whoever lingers.
 */
export async function loggedInUsers(ownSession: string | undefined, address?: string): Promise<string[]> {
  const [classed] = (await ask({ ...logind, member: 'ListSessionsEx' }, address)) as [ClassedRow[]?];
  const others = ([id]: readonly [string, ...unknown[]]): boolean => id !== ownSession;
  if (classed) {
    const people = classed.filter(([, , , , , kind]) => kind.startsWith('user'));
    return people.filter(others).map(([, , name]) => name);
  }
  const [sessions] = (await ask({ ...logind, member: 'ListSessions' }, address)) as [SessionRow[]?];
  return (sessions ?? [])
    .filter(others)
    .filter(([, uid]) => uid === 0 || uid >= FIRST_USER_ID)
    .map(([, , name]) => name);
}

/** Nobody has used the machine for a while, or nobody is there, and no lock says that somebody is. */
export async function isIdle(address?: string): Promise<boolean> {
  const [property] = (await ask(propertyCall(logind, 'IdleHint'), address)) as [{ value?: unknown }?];
  return property?.value !== false;
}

/** By NetworkManager; false where another program manages the network. */
export async function isNetworkMetered(
  runFolder = '/run/NetworkManager',
  address?: string,
): Promise<boolean> {
  // A call would start it.
  if (!existsSync(runFolder)) return false;
  const [property] = (await ask(propertyCall(networkManager, 'Metered'), address)) as [{ value?: unknown }?];
  return property?.value === METERED_YES || property?.value === METERED_GUESS_YES;
}

type LockRow = [what: string, who: string, why: string, mode: string, uid: number, pid: number];
/** Since v256, with more behind it. */
type ClassedRow = [id: string, uid: number, name: string, seat: string, leader: number, kind: string];
type SessionRow = [id: string, uid: number, name: string, seat: string, path: string];

/** NMMetered */
const METERED_YES = 1;
const METERED_GUESS_YES = 3;
const networkManager = {
  destination: 'org.freedesktop.NetworkManager',
  path: '/org/freedesktop/NetworkManager',
  interface: 'org.freedesktop.NetworkManager',
};

/** Nothing when nobody answers. */
async function ask(
  call: BusCall,
  address?: string,
  deadlineMilliseconds = DEADLINE_MILLISECONDS,
): Promise<unknown[]> {
  try {
    return await callOnce(call, address, deadlineMilliseconds);
  } catch (error) {
    if (isHostError(error, 'BUS_ABSENT', 'BUS_REFUSED')) return [];
    throw error;
  }
}
