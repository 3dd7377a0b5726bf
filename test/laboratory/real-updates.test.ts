import { lstat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { unfetchable } from './real-updates.js';

void t.test(
  'an archive counts as out of reach where apt cannot fetch from it, and apt says why',
  async (t) => {
    const server = createServer((request, response) => {
      response.statusCode = request.url === '/Release' ? 200 : 404;
      response.end('Suite: stable\n'.repeat(10_000));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.teardown(() => server.close());
    const archive = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

    t.equal(await unfetchable(`${archive}/Release`), undefined);
    t.ok(
      (await lstat('/dev/stdout')).isSymbolicLink(),
      'and nothing of this machine was replaced by what was fetched',
    );
    t.match(await unfetchable(`${archive}/Other`), /\/Other: .*404/);
    server.closeAllConnections();
    server.close();
    t.match(await unfetchable(`${archive}/Release`), /\/Release: .*(refused|connect)/i);
  },
);
