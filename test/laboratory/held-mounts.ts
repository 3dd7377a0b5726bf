import { spawn } from 'node:child_process';
import { LaboratoryError } from './laboratory-error.js';

export interface HeldMounts {
  /** Sees the mounts: `/proc/<pid>/cwd`, `/proc/<pid>/root`. */
  pid: number;
  /** Runs the closing lines and waits for the end. Throws when one fails. */
  release: (lines: readonly string[]) => Promise<void>;
}

/**
 * Runs `lines` of shell in a mount namespace of their own, and keeps it until it is released, or this process ends. Throws
 * when a line fails.
 */
export async function holdMounts(lines: readonly string[]): Promise<HeldMounts> {
  const script = `set -e\n${lines.join('\n')}\necho held\nread -r line\neval "$line"`;
  const holder = spawn('unshare', ['--mount', 'sh', '-c', script], { stdio: 'pipe' });
  let said = '';
  const ended = new Promise<number | null>((resolve, reject) => {
    holder.on('error', reject);
    holder.on('close', resolve);
  });
  const held = new Promise<void>((resolve, reject) => {
    holder.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.includes('held\n')) resolve();
    });
    holder.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    const failed = () => {
      reject(new LaboratoryError(`${lines.join('\n')}\n${said}`));
    };
    ended.then(failed, failed);
  });
  await held;
  return {
    pid: holder.pid ?? 0,
    release: async (closing) => {
      holder.stdin.end(`${closing.join('; ')}\n`);
      if ((await ended) !== 0) throw new LaboratoryError(`${closing.join('; ')}\n${said}`);
    },
  };
}
