import t from 'tap';
import { isEmulatorsFault } from './emulator.js';

const panic = [
  '[    3.242417] Oops: int3: 0000 [#1] PREEMPT SMP NOPTI',
  '[    3.250433] Kernel panic - not syncing: Fatal exception in interrupt',
];

void t.test("a breakpoint of the kernel's own patching is the emulator's fault, before PID 1 alone", (t) => {
  t.ok(isEmulatorsFault(['Loading Linux 6.12.117 ...', ...panic]));
  t.notOk(isEmulatorsFault(['Welcome to Debian GNU/Linux 13 (trixie)!', ...panic]));
  t.notOk(isEmulatorsFault(['[    4.1] systemd[1]: systemd 257 running in system mode', ...panic]));
  t.notOk(isEmulatorsFault(['Loading Linux ...', '[    3.2] Oops: 0002 [#1] SMP', panic[1] ?? '']));
  t.end();
});
