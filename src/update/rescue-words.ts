/**
 * What the shell did without the service, in the update boot or before a machine went down, by the words that `record` of
 * units/links is given, and for a person. A test compares them with the scripts.
 */
const sentences = {
  'boot-files-not-restored': 'the files in /boot could not be put back',
  'boot-files-restored': 'the files in /boot were put back',
  'claimed-too-often': 'the update boot was begun too often, and the update was given up',
  'copy-not-begun':
    'the copy did not fit, was damaged, or lacked a file system that it is for, and nothing was put back',
  'copy-not-restored': 'the copy could not be put back',
  'copy-restored': 'the copy was put back',
  'ended-without-leaving': 'the update service was gone after its work was done',
  'fallback-boots-next': 'the update service was gone, and the state before boots next',
  'left-by-guard': 'the guard left an update boot that nobody else did',
  'never-started': 'the update never started: the early boot failed',
  'nothing-changed': 'the update service failed before it changed anything',
  'packages-changed': 'packages were changed while it was armed',
  'roll-forward-failed': 'dpkg could not finish the install from the sealed files',
  'rolled-forward': 'dpkg finished the install from the sealed files',
} as const;

export type RescueWord = keyof typeof sentences;

export const rescueWords = Object.keys(sentences) as readonly RescueWord[];

/** A script of another version may know other words, which are told as they are. */
export function rescueText(word: string): string {
  return Object.hasOwn(sentences, word) ? sentences[word as RescueWord] : word;
}
