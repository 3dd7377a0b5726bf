// packaging/config.toml as data: it is the one place where a key of the policy is described.

/**
 * The blocks of the file, in its order: the words of a comment, then the lines (`key = default`, also of a table) that
 * an administrator would uncomment. What stands before the first blank line is the head of the file.
 */
export function policyWords(toml) {
  const [, ...blocks] = toml.trim().split(/\n{2,}/);
  return blocks.map((block) => {
    const lines = block.split('\n').map((line) => line.replace(/^#/, ''));
    const first = lines.findIndex((line) => /^(?:\w+ = |\[)/.test(line));
    if (first < 1) throw new Error(`packaging/config.toml: not words and then a setting: ${block}`);
    const settings = lines.slice(first);
    const [, key] = /^\[*(\w+)/.exec(settings[0]);
    return {
      key,
      settings,
      words: lines
        .slice(0, first)
        .map((line) => line.trim())
        .join('\n'),
    };
  });
}

/** What may stand there, in words, out of the JSON schema of the key. Empty where the words have to tell it. */
export function allowedText({ type, minimum, maximum, enum: choices, anyOf }) {
  if (type === 'integer') return `An integer from ${minimum} to ${maximum}.`;
  const values = anyOf ? anyOf.flatMap((each) => each.const ?? [true, false]) : choices;
  if (values === undefined) return type === 'boolean' ? 'One of `true` and `false`.' : '';
  const words = values.map((value) => (typeof value === 'string' ? `"${value}"` : `\`${value}\``));
  return `One of ${words.slice(0, -1).join(', ')} and ${words.at(-1)}.`;
}
