/** The way of the machines of `npm run bench -- peers`, without an update: it is the same whoever takes it. */
import t from 'tap';
import { goAndComeBack } from '../../bench/peers/there-and-back.js';
import { machineFor, type Machine } from '../laboratory/laboratory.js';

if (process.getuid?.() !== 0) t.bailout('machines need root');

/** Still at work when the normal target is reached. */
const slowUnit = `[Unit]
After=multi-user.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sleep 2
`;

async function machineThatStartsSlowly(t: Parameters<typeof machineFor>[0]): Promise<Machine> {
  const machine = await machineFor(t);
  await machine.write('/usr/lib/systemd/system/slow.service', slowUnit);
  await machine.link('../slow.service', '/usr/lib/systemd/system/multi-user.target.wants/slow.service');
  await machine.start();
  return machine;
}

const isSlowDone = 'systemctl is-active slow.service';

for (const verb of ['soft-reboot', 'reboot'] as const) {
  void t.test(`after a ${verb} it is back when nothing more is to start`, async (t) => {
    const machine = await machineThatStartsSlowly(t);
    const { gapSeconds } = await goAndComeBack(machine, verb, 60);
    const { stdout } = await machine.exec(isSlowDone, { check: false });
    t.equal(stdout, 'active\n');
    t.equal(gapSeconds > 0, verb === 'reboot', `${gapSeconds} s between two containers`);
  });
}

void t.test('a machine that does not leave is not waited for without end', async (t) => {
  const machine = await machineFor(t);
  await machine.start();
  await t.rejects(goAndComeBack(machine, 'daemon-reload', 1), { message: /^it was not back after 1 s; / });
});
