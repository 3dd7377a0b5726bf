import t from 'tap';
import { messageIds } from '../../src/update/message-ids.js';
import { armedMachine, isBackToNormal, statusOf } from './installed.js';

void t.test(
  'an update is told on the console, in the journal with its catalog, at log-in, to a dashboard',
  async (t) => {
    const machine = await armedMachine(t, {
      packages: ['lab-good', 'lab-slow'],
      config: 'statusFile = "/srv/update-status.json"\n',
    });
    const dashboard = async () => JSON.parse(await machine.read('/srv/update-status.json')) as unknown;
    const { id } = await armedStatus(machine);
    t.match(await dashboard(), { state: 'installing', progress: 0, updateTo: id });
    const boots = await machine.bootUntilSettled();
    await isBackToNormal(t, machine, boots);
    t.ok(
      boots[0]?.console.some((line) => /Installing updates · \d+ % · 1 of 2 · lab-/.test(line)),
      'on the console',
    );
    t.strictSame(await dashboard(), {
      state: 'success',
      progress: 100,
      description: 'confirmed: the machine came back updated',
      updateTo: '',
    });
    const journal = await machine.exec(`journalctl -x --no-pager OFFLINE_UPDATE_ID=${id}`);
    for (const subject of [
      'An update boot took',
      'An offline update is installed',
      'An offline update is confirmed',
    ])
      t.match(journal.stdout, subject);
    const confirmed = `journalctl --no-pager -o cat MESSAGE_ID=${messageIds.confirmed}`;
    t.equal(
      (await machine.exec(confirmed)).stdout,
      `update ${id}: confirmed: the machine came back updated\n`,
    );
    // The module that every log-in asks, here by way of runuser(1).
    const pam =
      'auth sufficient pam_permit.so\naccount sufficient pam_permit.so\nsession required pam_permit.so\nsession optional pam_motd.so noupdate\n';
    await machine.exec(['sh', '-c', 'printf "$1" > /etc/pam.d/runuser-l', 'sh', pam]);
    const login = await machine.exec('echo exit | runuser -l root', { tty: true });
    t.match(login.stdout, `The offline update ${id} was installed (offline-update report ${id})`);
    await machine.exec(['offline-update', 'clean']);
    t.notOk(machine.exists('/var/lib/offline-update/motd'));
  },
);

async function armedStatus(machine: Parameters<typeof statusOf>[0]): Promise<{ id: string }> {
  const { stdout } = await machine.run(['offline-update', 'status', '--json']);
  return JSON.parse(stdout) as { id: string };
}
