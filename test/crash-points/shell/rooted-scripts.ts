/**
 * The scripts of units/ as they are installed, but below a folder: `$LAB_ROOT` stands before every path of the machine, so
 * that the same text serves each folder that a test boots. Without that variable they end at once.
 */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What an update boot runs without Node. */
const scripts = ['links', 'claim', 'rescue', 'guard', 'leave', 'roll-forward', 'restore'] as const;
export const generatorStub = 'offline-update-generator';
export type Script = (typeof scripts)[number] | typeof generatorStub;

/** A text of a script and what stands in its place: a mutant. */
export interface Change {
  script: Script;
  from: string;
  to: string;
}

const folder = 'usr/lib/offline-update';
const machinePaths =
  /(?<![\w.}])\/(?=(system-update|etc\/(system-update|initrd-release)|run\/offline-update|var\/lib\/(offline-update|dpkg)|usr\/lib\/(offline-update|systemd)|usr\/bin\/node|dev\/kmsg)\b)/g;

/** Only the target of a link is the same in each folder. */
function rooted(text: string): string {
  return text
    .replace(machinePaths, '${LAB_ROOT:?}/')
    .replace('stage=/var/lib/system-update', 'stage=${LAB_ROOT:?}/var/lib/system-update')
    .replace('root=${1:-/}', 'root=${1:-${LAB_ROOT:?}}');
}

export function scriptIn(root: string, script: Script): string {
  return join(root, folder, script);
}

/** Puts them all below `root`, with a mutant's change; throws when what is to be changed is not there exactly once. */
export function putScripts(root: string, changes: readonly Change[] = []): void {
  mkdirSync(join(root, folder), { recursive: true });
  for (const script of [...scripts, generatorStub] as const) {
    let text = readFileSync(`units/${script}`, 'utf8');
    for (const { from, to } of changes.filter((change) => change.script === script)) {
      if (text.split(from).length !== 2) throw new Error(`not once in units/${script}: ${from}`);
      text = text.replace(from, () => to);
    }
    writeFileSync(scriptIn(root, script), rooted(text));
    chmodSync(scriptIn(root, script), 0o755);
  }
}
