import t from 'tap';
import { prepareAgain } from '../../src/prepare/prepare-again.js';

void t.test('what plans the same anew, and never more than was asked for', (t) => {
  t.strictSame(
    [
      prepareAgain({ mode: 'upgrade', packages: [] }),
      prepareAgain({ mode: 'full-upgrade', packages: [] }),
      prepareAgain({ mode: 'packages', packages: ['alpha', 'beta:arm64=2.0~rc1', 'lib*', '~n^x'] }),
      prepareAgain({ mode: 'plugin', packages: ['alpha'] }),
      prepareAgain(),
    ],
    [
      'offline-update prepare',
      'offline-update prepare --full',
      "offline-update prepare alpha beta:arm64=2.0~rc1 'lib*' '~n^x'",
      'offline-update prepare --from FILE',
      'offline-update prepare',
    ],
  );
  t.end();
});
