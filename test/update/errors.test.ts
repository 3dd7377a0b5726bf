import t from 'tap';
import { asUpdateError, errorDocument, UpdateError } from '../../src/update/errors.js';

const errno = (code: string) => Object.assign(new Error(`${code}: write`), { code });

void t.test('a disk that is full, broken or read-only is told with where to look', (t) => {
  t.strictSame(errorDocument(asUpdateError(errno('ENOSPC'))), {
    error: {
      code: 'INTERNAL',
      message: 'ENOSPC: write',
      hint: 'df -h; df -i; to make room: apt-get clean; journalctl --vacuum-size=100M',
    },
  });
  t.equal(asUpdateError(errno('EROFS')).hint, 'findmnt --options ro; journalctl -k -p err');
  t.equal(asUpdateError(errno('EIO')).hint, 'journalctl -k -p err');
  t.equal(asUpdateError(errno('ENOENT')).hint, undefined);
  const own = new UpdateError('BUSY', 'at work');
  t.equal(asUpdateError(own), own);
  t.end();
});
