/**
 * Message ids of the entries in the journal of the machine, one an event; stable for ever, so that a monitor can wait
 * for them. packaging/offline-update.catalog explains each (`journalctl -x`); a test compares both.
 */
import type { EventName } from './events.js';

/** `prepared` changes nothing yet that anybody would be woken up for. */
export const messageIds: Record<Exclude<EventName, 'prepared'>, string> = {
  armed: '5075612bce38429fb5558da6d6f78181',
  cancelled: 'b92f7d1ee1c9425c882ef0dfe68defc1',
  stale: '7f04e04238e149ffb0270013235b74c0',
  claimed: 'e6a6580b340d4ee8ad6db620ae11417f',
  refused: '09a6587195994f1394c8ee0a0f2ae0be',
  installing: 'f6f88d9af1024e7ca2fbe9f7bc3f0471',
  resumed: '4fb6bee6c5db41f4bf14de8b3f47ed4f',
  installed: '458e68d024f440e4b6f97b955eb80f78',
  failed: 'c9411a64c6dc4c3bb15bd411b2acc7d9',
  reverted: '3e9545e7a65044c1a26a9882e4f8ad75',
  confirmed: '5a7c253ae3df459bbfbf424831cd187a',
  blocked: '4b8673dbda7c4d16b4e97a0e4c03e164',
};

/** Of the time at which an update is to be armed (src/prepare/when). */
export const noticeIds = {
  scheduled: 'f53353d01e64428ba7d1e6112dccaadc',
  'put-off': '5391a65769ea472c83d056af2b51376c',
  'not-armed': '70a18135877e4724ae36e3de07c3d1af',
};
