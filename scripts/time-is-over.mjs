/** The reason with which a file is skipped then. */
export const notBegun = 'not begun: the time of this run is over';

/** Whether the moment has passed after which a run begins nothing more; a run without one has all the time that it needs. */
export function timeIsOver() {
  const until = Number(process.env.OFFLINE_UPDATE_BEGIN_UNTIL);
  return until > 0 && Date.now() / 1000 > until;
}
