/**
 * May who sent us a message do this? (polkit(8), org.freedesktop.PolicyKit1.Authority.) The sender is known by its unique
 * bus name, which is never given out twice: a process id could be another's by the time polkit looks.
 *
 * Errors: `BUS_REFUSED` where polkit is not installed or cannot say (`busErrorName` tells); `BUS_TIMEOUT`, `BUS_GONE`.
 */
import { Variant } from 'dbus-next';
import type { Bus } from './bus.js';

export interface Authorization {
  isAuthorized: boolean;
  /** It would be, once somebody has typed a password. */
  isChallenge: boolean;
}

export interface Question {
  /** Such as `org.example.act`. */
  action: string;
  /** Unique bus name of who asks. */
  sender: string;
  /** Somebody may be asked for a password now, which takes its time. */
  isInteractive: boolean;
}

const DEADLINE_MILLISECONDS = 10_000;
/** For a person to find the password; polkit itself waits for ever. */
const PERSON_MILLISECONDS = 5 * 60_000;
const ALLOW_USER_INTERACTION = 1;

export async function checkAuthorization(
  call: Bus['call'],
  { action, sender, isInteractive }: Question,
): Promise<Authorization> {
  const subject = ['system-bus-name', { name: new Variant('s', sender) }];
  const [answer] = await call(
    {
      destination: 'org.freedesktop.PolicyKit1',
      path: '/org/freedesktop/PolicyKit1/Authority',
      interface: 'org.freedesktop.PolicyKit1.Authority',
      member: 'CheckAuthorization',
      signature: '(sa{sv})sa{ss}us',
      body: [subject, action, {}, isInteractive ? ALLOW_USER_INTERACTION : 0, ''],
    },
    isInteractive ? PERSON_MILLISECONDS : DEADLINE_MILLISECONDS,
  );
  const [isAuthorized, isChallenge] = answer as [unknown, unknown];
  return { isAuthorized: isAuthorized === true, isChallenge: isChallenge === true };
}

/** The user id of who sent us a message. */
export async function userOfSender(call: Bus['call'], sender: string): Promise<number> {
  const bus = 'org.freedesktop.DBus';
  const at = { destination: bus, path: '/org/freedesktop/DBus', interface: bus };
  const [user] = await call(
    { ...at, member: 'GetConnectionUnixUser', signature: 's', body: [sender] },
    DEADLINE_MILLISECONDS,
  );
  return user as number;
}
