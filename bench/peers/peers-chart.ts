/** Seconds away of all who have to leave, a panel for each disk. */
import { barChart } from '../bar-chart.js';
import { median } from '../statistics.js';
import { candidates } from './candidates.js';
import { placesIn, placeTitle } from './peers-table.js';
import type { PeersRow } from './report.js';
import { titleOf } from './scenarios.js';

const colours = ['#1b7f4b', '#7fc8a0', '#bfe3cf', '#9a9a9a', '#c46a2b'];

export function peersChart(rows: readonly PeersRow[]): string {
  const away = candidates.filter(({ name }) => name !== 'online');
  const titles = new Map(away.map(({ name, title }) => [name, title.replaceAll('`', '')]));
  return barChart({
    title: 'Seconds away: from the reboot request until the normal target is back',
    unit: 's',
    series: [...titles.values()].map((name, index) => ({ name, colour: colours[index] ?? 'grey' })),
    panels: placesIn(rows).map((place) => {
      const here = rows.filter(
        ({ fileSystem, disk }) => fileSystem === place.fileSystem && disk === place.disk,
      );
      return {
        title: placeTitle(place),
        groups: [...new Set(here.map(({ size }) => size))].map((size) => ({
          label: titleOf(size),
          bars: [...titles].flatMap(([name, series]) => {
            const row = here.find((each) => each.size === size && each.candidate === name);
            return row ? [{ series, value: median(row.turns.map(({ awaySeconds }) => awaySeconds)) }] : [];
          }),
        })),
      };
    }),
  });
}
