import t from 'tap';
import { armedMachine, journalFiles } from './installed.js';

void t.test(
  "a default.target of the administrator's own, without multi-user.target: recorded and confirmed",
  async (t) => {
    const machine = await armedMachine(t, { packages: ['lab-good'] });
    await machine.write(
      '/etc/systemd/system/kiosk.target',
      '[Unit]\nRequires=basic.target\nAfter=basic.target\nAllowIsolate=yes\n',
    );
    await machine.link('kiosk.target', '/etc/systemd/system/default.target');
    const { ended, console } = await machine.boot();
    t.equal(ended, 'reboot');
    t.notMatch(
      console.join('\n'),
      /Starting offline-update-(recover|confirm|scheduled)/,
      'not in the update boot',
    );
    // What recover has to record, besides.
    await machine.write('/var/lib/offline-update/rescued', '\n0 lab-word\n');
    let active = '';
    await machine.boot({
      timeoutSeconds: 30,
      async during(container) {
        await container.waitForLine(journalFiles, (line) => line.includes('"event":"confirmed"'));
        ({ stdout: active } = await machine.exec('systemctl is-active kiosk.target multi-user.target', {
          check: false,
        }));
        container.kill();
      },
    });
    t.equal(active, 'active\ninactive\n');
    const [row] = (await machine.run(`grep -h '"note":"rescue"' ${journalFiles}`)).stdout.split('\n');
    t.match(row, /lab-word/);
  },
);
