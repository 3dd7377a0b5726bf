/** Tells what happens as it happens: steps with their seconds, commands with their output, boots, versions. */
import { styleText } from 'node:util';
import type { BootRecord, Machine } from '../test/laboratory/laboratory.js';

const colour = process.stdout.isTTY;

export class Story {
  readonly #began = performance.now();

  say(text: string): void {
    console.log(text);
  }

  async step<T>(title: string, act: () => Promise<T>): Promise<T> {
    const began = performance.now();
    const result = await act();
    this.#line(title, (performance.now() - began) / 1000);
    return result;
  }

  /** Runs a command in the booted machine and shows it as a person would have typed it. */
  async command(machine: Machine, words: readonly string[]): Promise<void> {
    const began = performance.now();
    console.log(paint('bold', `\n# ${words.join(' ')}`));
    const { stdout, stderr } = await machine.exec(words);
    console.log(`${stdout}${stderr}`.replace(/^/gm, '  ').trimEnd());
    this.#line(words.slice(0, 2).join(' '), (performance.now() - began) / 1000);
  }

  boot(title: string, { seconds, ended, console: lines }: BootRecord): void {
    for (const line of lines.filter((each) => each.includes('Installing updates'))) {
      console.log(paint('dim', `    ${line.trim()}`));
    }
    this.#line(`${title}: ${ended}`, seconds);
  }

  versions(
    changes: readonly { name: string; architecture: string; to: string | null }[],
    before: ReadonlyMap<string, string>,
    after: ReadonlyMap<string, string>,
  ): void {
    const rows = changes.map(({ name, architecture, to }) => {
      const key = `${name}:${architecture}`;
      return [key, before.get(key) ?? '-', to ?? '-', after.get(key) ?? '-'];
    });
    const table = [['package', 'before', 'planned', 'after'], ...rows];
    const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => (row[column] ?? '').length)));
    console.log('');
    for (const row of table) console.log(`  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`);
    console.log('');
  }

  #line(title: string, seconds: number): void {
    const since = ((performance.now() - this.#began) / 1000).toFixed(1).padStart(6);
    console.log(`${paint('dim', `${since} s`)}  ${title} ${paint('dim', `(${seconds.toFixed(2)} s)`)}`);
  }
}

function paint(style: 'bold' | 'dim', text: string): string {
  return colour ? styleText(style, text) : text;
}
