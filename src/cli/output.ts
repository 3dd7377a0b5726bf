/**
 * What the command prints. Answers go to stdout, everything on the way (progress, warnings, errors) to stderr. With
 * `--json` stdout carries exactly one JSON document, also on failure: `{"error":{code,message,hint}}`.
 *
 * Colour and width only on a terminal; `NO_COLOR` (no-color.org) and `TERM=dumb` turn colour off.
 */
import { errorDocument, type UpdateError, type UpdateErrorCode } from '../update/errors.js';
import type { Finding } from '../update/finding.js';

export interface Stream {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

export interface Output {
  /** True with `--json`. */
  isJson: boolean;
  /** A line of the answer; nothing with `--json`. */
  line(text?: string): void;
  /** The answer of `--json`; nothing without. */
  json(document: unknown): void;
  /** One of several documents of `--json`, each on a line of its own. */
  jsonLine(document: unknown): void;
  /** On stderr, in either way. */
  note(text: string): void;
  /** `label   value`, the values below each other; undefined values are left out. */
  fields(rows: readonly (readonly [label: string, value: string | undefined])[]): void;
  /** What failed, why, and what to type next. */
  error(what: string, error: UpdateError): void;
  paint: Paint;
}

export interface Paint {
  good(text: string): string;
  bad(text: string): string;
  strong(text: string): string;
}

export interface OutputOptions {
  isJson: boolean;
  stdout: Stream;
  stderr: Stream;
  environment: NodeJS.ProcessEnv;
}

export function output({ isJson, stdout, stderr, environment }: OutputOptions): Output {
  const say = (text: string): void => {
    if (!isJson) stdout.write(`${text}\n`);
  };
  const document = (value: unknown): void => {
    if (isJson) stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  };
  const paint = paintFor(stdout, environment);
  const paintErrors = paintFor(stderr, environment);
  return {
    isJson,
    paint,
    line(text = '') {
      say(text);
    },
    json(value) {
      document(value);
    },
    jsonLine(value) {
      if (isJson) stdout.write(`${JSON.stringify(value)}\n`);
    },
    note(text) {
      stderr.write(`${text}\n`);
    },
    fields(rows) {
      const width = Math.max(...rows.map(([label]) => label.length));
      for (const [label, value] of rows) {
        if (value === undefined) continue;
        const [first = '', ...more] = value.split('\n');
        say(`${paint.strong(label.padEnd(width))}  ${first}`);
        for (const line of more) say(`${' '.repeat(width)}  ${line}`);
      }
    },
    error(what, error) {
      const { code, message, hint, findings } = error;
      document(errorDocument(error));
      const lines = [`${paintErrors.bad('offline-update:')} ${what}`, ...whyLines(code, message, findings)];
      if (hint !== undefined) lines.push(`  next: ${hint}`);
      stderr.write(`${lines.join('\n')}\n`);
    },
  };
}

/** Of a blocked preflight each finding with its own remedy; of anything else the one reason. */
function whyLines(code: UpdateErrorCode, message: string, findings: readonly Finding[]): string[] {
  const blocking =
    code === 'PREFLIGHT_BLOCKED' ? findings.filter(({ severity }) => severity === 'block') : [];
  if (blocking.length === 0) return [`  why: ${message}`];
  return blocking.flatMap(({ check, evidence, remedy }) => [
    `  why: ${evidence} [${check}]`,
    `       ${remedy}`,
  ]);
}

function paintFor(stream: Stream, environment: NodeJS.ProcessEnv): Paint {
  const wanted =
    stream.isTTY === true && (environment['NO_COLOR'] ?? '') === '' && environment['TERM'] !== 'dumb';
  const colour =
    (code: number) =>
    (text: string): string =>
      wanted ? `\u001b[${code}m${text}\u001b[0m` : text;
  return { good: colour(32), bad: colour(31), strong: colour(1) };
}
