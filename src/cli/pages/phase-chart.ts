/** The phases of an update boot one after the other, as an SVG picture: each as long as it took. */
import type { Report } from '../../update/report.js';
import { escapeHtml } from './escape-html.js';

const WIDTH = 900;
const LABEL_WIDTH = 90;
const VALUE_WIDTH = 80;
const ROW_HEIGHT = 24;
/** So that the shortest phase is still seen. */
const LEAST_WIDTH = 2;

/** Empty when no phase was told. */
export function phaseChart(phases: Report['phases']): string {
  const total = phases.reduce((sum, { seconds }) => sum + seconds, 0);
  if (phases.length === 0 || total === 0) return '';
  const scale = (WIDTH - LABEL_WIDTH - VALUE_WIDTH) / total;
  let at = LABEL_WIDTH;
  const rows = phases.map(({ phase, outcome, seconds }, index) => {
    const width = Math.max(LEAST_WIDTH, seconds * scale);
    const x = at;
    at += seconds * scale;
    const top = index * ROW_HEIGHT;
    const text = `fill="currentColor" font-size="14" dominant-baseline="middle" y="${top + ROW_HEIGHT / 2}"`;
    return [
      `<text ${text} x="0">${escapeHtml(phase)}</text>`,
      `<rect x="${round(x)}" y="${top + 4}" width="${round(width)}" height="${ROW_HEIGHT - 8}" rx="2" fill="${outcome === 'done' ? '#2da44e' : '#cf222e'}"/>`,
      `<text ${text} x="${round(x + width + 6)}">${seconds.toFixed(2)} s</text>`,
    ].join('');
  });
  const label = `the update boot took ${total.toFixed(2)} s in ${phases.length} phases`;
  return `<svg viewBox="0 0 ${WIDTH} ${phases.length * ROW_HEIGHT}" role="img" aria-label="${label}">\n${rows.join('\n')}\n</svg>`;
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}
