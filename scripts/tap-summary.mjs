// Reads the TAP of a run of test files, prints one line a file and everything of a file that failed, and counts tests.
// Of a file that passed it prints the comments that begin with `seed`: what chance has chosen is told.
// A test is a line of the first level in a file; a file that fails without such a line (it crashed, it hung) is one.
import { createInterface } from 'node:readline';
import { notBegun } from './time-is-over.mjs';

export class TapSummary {
  passed = 0;
  failed = 0;
  /** The files that came to an end. */
  files = new Set();
  /** Of them those that were not even begun (begin-until.mjs). */
  notBegun = new Set();
  /** What was counted for each file that failed. */
  failures = new Map();
  #print;
  #file = newFile();
  #explainsFailure = false;

  /** `print` takes one line. */
  constructor(print) {
    this.#print = print;
  }

  /** Resolves at the end of the stream. */
  async read(stream) {
    for await (const line of createInterface({ input: stream })) this.#readLine(line);
    this.#file = newFile();
    this.#explainsFailure = false;
  }

  /** Forgets what was counted for a file that is run once more. */
  takeBack(file) {
    const { passed, failed } = this.failures.get(file);
    this.passed -= passed;
    this.failed -= failed;
    this.failures.delete(file);
    this.files.delete(file);
    this.notBegun.delete(file);
  }

  /** A failure that no line of TAP tells. */
  fail(message) {
    this.failed += 1;
    this.#print(`FAIL ${message}`);
  }

  #readLine(line) {
    const end = /^(not )?ok \d+ - (\S+\.test\.ts)(?:.*# time=(\S+))?/.exec(line);
    if (end) this.#endFile(end[1] === undefined, end[2], end[3] ?? '');
    else if (line.startsWith('# Subtest: ')) this.#file = newFile();
    else if (line.startsWith('    ')) this.#readInFile(line);
    // After the line of a file tap says how it was started and how it ended; the second matters when it failed.
    else if (this.#explainsFailure && /^ {2}(exitCode|signal|expired):/.test(line)) this.#print(`   ${line}`);
  }

  #readInFile(line) {
    this.#file.lines.push(line);
    const test = /^ {4}(not )?ok \d+(?: - (.*))?$/.exec(line);
    if (!test) return;
    const skip = /^(.*?)\s*# (?:SKIP|TODO)\s*(.*)$/i.exec(test[2] ?? '');
    if (skip) this.#file.skipped.push(skip[2] ? `${skip[1]}: ${skip[2]}` : skip[1]);
    else if (test[1] === undefined) this.#file.passed += 1;
    else this.#file.failed += 1;
  }

  #endFile(isOk, name, time) {
    const { lines, passed, skipped } = this.#file;
    const failed = isOk ? this.#file.failed : Math.max(1, this.#file.failed);
    this.passed += passed;
    this.failed += failed;
    this.files.add(name);
    if (skipped.some((test) => test.endsWith(notBegun))) this.notBegun.add(name);
    if (failed > 0) this.failures.set(name, { passed, failed });
    const told = failed > 0 ? lines : lines.filter((line) => /^ +# seed \d/.test(line));
    for (const line of told) this.#print(line);
    this.#print(`${failed === 0 ? 'ok  ' : 'FAIL'} ${name}: ${passed} passed, ${failed} failed ${time}`);
    for (const test of skipped) this.#print(`     skipped: ${test}`);
    this.#file = newFile();
    this.#explainsFailure = failed > 0;
  }
}

function newFile() {
  return { lines: [], passed: 0, failed: 0, skipped: [] };
}
