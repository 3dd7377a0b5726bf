import t from 'tap';
import { nextStage, planningMachine } from '../fixtures/planning-machine.js';
import { machineWithVersion1 } from '../laboratory/laboratory.js';

const layer = await machineWithVersion1(['lab-good', 'lab-epoch', 'lab-big']);

void t.test(
  'a download is resumed where it was interrupted, and good files are not fetched twice',
  async (t) => {
    const { prepare, machine } = await planningMachine(t, await machineWithVersion1(['lab-good', 'lab-big']));
    await machine.run(
      "ip link set lo up 2>/dev/null; sed -i 's#copy:/srv/repository#http://127.0.0.1:8080#' /etc/apt/sources.list.d/*.sources",
    );
    const interrupted = await prepare({ refresh: true, serve: { interruptAfterBytes: 3_000_000 } });
    t.match(interrupted.error, { code: 'DOWNLOAD_FAILED', message: 'interrupted by SIGINT' });
    t.ok(machine.exists(`${nextStage}/packages/partial/lab-big_2.0_all.deb`));
    t.notOk(machine.exists(`${nextStage}/download.log`));

    const resumed = await prepare({ serve: {} });
    t.equal(resumed.error, undefined);
    const range = resumed.served.find((line) => line.includes('lab-big'));
    t.match(range, /^\/pool\/lab-big_2\.0_all\.deb bytes=[1-9]\d*-$/);
    t.same(resumed.differences, []);

    await machine.write(
      `${nextStage}/packages/lab-good_2.0_all.deb`,
      'x'.repeat(resumed.plan?.changes[1]?.sizeBytes ?? 0),
    );
    const again = await prepare({ serve: {} });
    t.equal(again.error, undefined);
    t.same(again.served, ['/pool/lab-good_2.0_all.deb'], 'only the one whose content is wrong');
    const percents = resumed.progress.map((event) => event.percent);
    t.same(
      percents,
      [...percents].sort((a, b) => a - b),
    );
    t.ok(percents.every((percent) => percent < 100));
  },
);

void t.test(
  'a file: source is copied into the stage, a file that changed in the source is told',
  async (t) => {
    const { prepare, machine } = await planningMachine(t, layer);
    await machine.run("sed -i 's#copy:#file:#' /etc/apt/sources.list.d/*.sources; apt-get update");
    const copied = await prepare({ mode: 'packages', packages: ['lab-epoch'] });
    t.equal(copied.error, undefined);
    const file = 'packages/lab-epoch_1%3a2.0-1+b1_amd64.deb';
    t.ok(file in copied.files);
    const sha256 = copied.plan?.changes[0]?.sha256;
    t.strictSame(copied.known, { [file]: sha256 }, 'hashed while it was copied');
    t.match(copied.plan?.decidedBy, /^[0-9a-f]{64}$/, 'by what apt has agreed is written down');
    const again = await prepare({ mode: 'packages', packages: ['lab-epoch'] });
    t.strictSame(again.known, { [file]: sha256 }, 'known from the look at what is there');
    await machine.remove('/srv/repository/pool/lab-good_2.0_all.deb');
    t.match(await prepare({ mode: 'packages', packages: ['lab-good'] }), {
      error: { code: 'DOWNLOAD_FAILED', message: /lab-good_2\.0_all\.deb cannot be read/ },
    });
  },
);
