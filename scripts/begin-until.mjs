// Loaded before each test file. A run that has to come to its end in time names the moment after which no file is begun
// (OFFLINE_UPDATE_BEGIN_UNTIL, seconds since 1970): what has no time left is skipped and told, never cut off half-way.
import { notBegun, timeIsOver } from './time-is-over.mjs';

if (timeIsOver()) {
  console.log(`TAP version 14\nok 1 - the whole file # SKIP ${notBegun}\n1..1`);
  process.exit(0);
}
