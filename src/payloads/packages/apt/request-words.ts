/**
 * A request as words of apt-get. Package words are `NAME`, `NAME:ARCHITECTURE` and either with `=VERSION`; nothing else
 * gets through to apt, which would take `-o...` for an option, `NAME-` for a removal and `n.me` for a pattern.
 *
 * Errors: `REQUEST_INVALID` naming the word.
 */
import { UpdateError } from '../../../update/errors.js';
import type { Request } from '../../payload.js';

const packageWord = /^([a-z0-9][a-z0-9+.-]*)(:[a-z0-9][a-z0-9-]*)?(=[A-Za-z0-9.+:~-]+)?$/;

export interface RequestWords {
  args: string[];
  /** Names that were asked for. */
  names: string[];
}

export function requestWords({ mode, packages }: Pick<Request, 'mode' | 'packages'>): RequestWords {
  switch (mode) {
    case 'upgrade':
      return { args: ['--with-new-pkgs', 'upgrade'], names: [] };
    case 'full-upgrade':
      return { args: ['full-upgrade'], names: [] };
    case 'packages': {
      const names = packages.map(nameOf);
      // who names a version wants that one, also when it is older
      const downgrade = packages.some((word) => word.includes('='));
      return { args: [...(downgrade ? ['--allow-downgrades'] : []), 'install', ...packages], names };
    }
    case 'plugin':
      throw new UpdateError('INTERNAL', 'a plugin plans by itself');
  }
}

function nameOf(word: string): string {
  const [, name] = packageWord.exec(word) ?? [];
  if (name !== undefined && !name.endsWith('-')) return name;
  throw new UpdateError('REQUEST_INVALID', `"${word}" is not a package name`, {
    hint: 'offline-update prepare NAME[:ARCHITECTURE][=VERSION]...',
  });
}
