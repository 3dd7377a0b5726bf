/** The time that an update takes the machine away, for people: foretold or measured. */
import { totalSeconds, type Away } from '../../update/away.js';
import { aboutSecondsText } from '../quantities.js';

/** `48 s: 9 s down, 27 s installing, 12 s up`; what is not known is left out. */
export function awayText(away: Away): string {
  const { downSeconds, installSeconds, upSeconds } = away;
  const parts: [number | null, string][] = [
    [downSeconds, 'down'],
    [installSeconds, 'installing'],
    [upSeconds, 'up'],
  ];
  const known = parts.flatMap(([seconds, word]) =>
    seconds === null ? [] : [`${aboutSecondsText(seconds)} ${word}`],
  );
  const total = totalSeconds(away);
  return `${total === null ? '' : `${aboutSecondsText(total)}: `}${known.join(', ')}`;
}
