/**
 * The journal of this machine.
 *
 * Lines go to stderr. When stderr is the journal's own stream (`JOURNAL_STREAM`, systemd.exec(5)) each carries its
 * priority as `<N>`; for a terminal or file they are plain. Entries with a message id and fields cost a process
 * (logger(1), for Node has no datagram sockets): for the rare event that a catalogue or a monitor looks for.
 */
import { fstatSync } from 'node:fs';
import type { RunCommand } from './command.js';

const priorities = ['emergency', 'alert', 'critical', 'error', 'warning', 'notice', 'info', 'debug'] as const;
export type Priority = (typeof priorities)[number];

/** The number of syslog(3). */
export function priorityNumber(priority: Priority): number {
  return priorities.indexOf(priority);
}

/** Of systemd's journal. */
export interface LogEntry {
  /** 128 bits in hex, `journalctl --new-id128`. */
  messageId: string;
  message: string;
  priority: Priority;
  /** Names in capitals, as systemd.journal-fields(7) says. */
  fields?: Record<string, string>;
}

export interface SystemLog {
  write(priority: Priority, line: string): void;
  /** Never throws; where there is no journal it becomes a line of `write`. */
  entry(entry: LogEntry): Promise<void>;
}

export interface SystemLogOptions {
  run: RunCommand;
  output?: { write(text: string): unknown };
  /** Is `output` a stream of the journal? Found out for stderr if not given. */
  toJournal?: boolean;
}

export function systemLog(options: SystemLogOptions): SystemLog {
  const { run, output = process.stderr, toJournal = stderrIsJournal() } = options;

  const write = (priority: Priority, text: string): void => {
    const prefix = toJournal ? `<${priorityNumber(priority)}>` : '';
    for (const line of text.split('\n')) output.write(`${prefix}${line}\n`);
  };

  return {
    write,
    async entry({ messageId, message, priority, fields = {} }) {
      const rows = {
        MESSAGE: message,
        MESSAGE_ID: messageId,
        PRIORITY: String(priorityNumber(priority)),
        SYSLOG_IDENTIFIER: 'offline-update',
        ...fields,
      };
      const input = Object.entries(rows)
        .map(([name, value]) => `${name}=${value.replaceAll('\n', ' ')}\n`)
        .join('');
      const sent = await run('logger', ['--journald'], { input, timeoutSeconds: 5 }).then(
        (result) => result.exitCode === 0,
        () => false,
      );
      if (!sent) write(priority, message);
    },
  };
}

/** The variable may be inherited by a process whose stderr was sent elsewhere, so it names device and inode. */
function stderrIsJournal(): boolean {
  const named = process.env['JOURNAL_STREAM'];
  if (named === undefined) return false;
  try {
    const { dev, ino } = fstatSync(2, { bigint: true });
    return named === `${dev}:${ino}`;
  } catch {
    return false;
  }
}
