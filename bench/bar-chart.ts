/**
 * Horizontal bars in groups, as an SVG that needs nothing but a viewer: panels one below the other, each with a scale
 * of its own; a bar for each value, its figure behind it. A value that is not a number has no bar and says so.
 */
export interface ChartBar {
  series: string;
  value: number;
}

export interface ChartGroup {
  label: string;
  bars: readonly ChartBar[];
}

export interface ChartPanel {
  title: string;
  groups: readonly ChartGroup[];
}

export interface Chart {
  title: string;
  unit: string;
  /** In the order of the legend: name and colour. */
  series: readonly { name: string; colour: string }[];
  panels: readonly ChartPanel[];
}

const width = 880;
const labelWidth = 170;
const figureWidth = 80;
const bar = { height: 13, gap: 2 };
const groupGap = 10;
const lineHeight = 22;

export function barChart({ title, unit, series, panels }: Chart): string {
  const parts: string[] = [text(12, 24, title, 'font-size="16" font-weight="bold"')];
  let y = 44;
  for (const [index, { name, colour }] of series.entries()) {
    const [x, line] = [12 + (index % 2) * (width / 2), y + Math.floor(index / 2) * 18];
    parts.push(rectangle(x, line, 12, 12, colour), text(x + 18, line + 10, name));
  }
  y += Math.ceil(series.length / 2) * 18 + 8;
  for (const panel of panels) {
    y += lineHeight;
    parts.push(text(12, y, panel.title, 'font-size="13" font-weight="bold"'));
    y += 10;
    const most = Math.max(
      0,
      ...panel.groups.flatMap(({ bars }) => bars.map(({ value }) => value).filter(isFigure)),
    );
    for (const { label, bars } of panel.groups) {
      parts.push(text(12, y + bar.height - 2, label));
      for (const { series: name, value } of bars) {
        const length = isFigure(value) && most > 0 ? (value / most) * (width - labelWidth - figureWidth) : 0;
        const colour = series.find((each) => each.name === name)?.colour ?? 'grey';
        const figure = isFigure(value) ? `${value.toFixed(2)} ${unit}` : 'no figure';
        parts.push(rectangle(labelWidth, y, length, bar.height, colour));
        parts.push(text(labelWidth + length + 5, y + bar.height - 2, figure));
        y += bar.height + bar.gap;
      }
      y += groupGap;
    }
  }
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" font-family="sans-serif" font-size="11">`;
  return `${[head, `<rect width="${width}" height="${y}" fill="white"/>`, ...parts, '</svg>'].join('\n')}\n`;
}

function isFigure(value: number): boolean {
  return Number.isFinite(value);
}

function rectangle(x: number, y: number, w: number, h: number, colour: string): string {
  return `<rect x="${x}" y="${y}" width="${rounded(w)}" height="${h}" fill="${colour}"/>`;
}

function text(x: number, y: number, words: string, attributes = ''): string {
  const more = attributes === '' ? '' : ` ${attributes}`;
  return `<text x="${rounded(x)}" y="${y}"${more}>${escaped(words)}</text>`;
}

function rounded(length: number): number {
  return Math.round(length * 10) / 10;
}

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
