import t from 'tap';
import { runCommand } from '../../src/host/command.js';
import { runShortCommand } from '../../src/host/short-command.js';

void t.test('a short command ends as the other kind of command does', async (t) => {
  const calls: Parameters<typeof runCommand>[] = [
    ['sh', ['-c', 'echo out; echo err >&2; exit 3']],
    ['sh', ['-c', 'printf "a\\n\\n"; printf b >&2']],
    ['sh', ['-c', 'kill -TERM $$']],
    ['sh', ['-c', 'echo "$ONE:$HOME"'], { env: { ONE: '1' } }],
    ['/bin/sh', ['-c', 'echo "$ONE:$HOME"'], { env: { ONE: '1' }, extendEnv: false }],
    ['pwd', [], { cwd: '/usr' }],
    ['cat', []],
  ];
  for (const call of calls)
    t.strictSame(await runShortCommand(...call), await runCommand(...call), call[1].join(' '));
});

void t.test('a program that is not there is told as such', async (t) => {
  await t.rejects(runShortCommand('no-such-program', []), { code: 'COMMAND_NOT_FOUND' });
  await t.rejects(runShortCommand('/etc/passwd', []), { code: 'COMMAND_NOT_FOUND' });
  await t.rejects(runShortCommand('true', [], { cwd: '/no/such/folder' }), { code: 'COMMAND_FAILED' });
});

void t.test('a process left behind with our output open does not hold us', async (t) => {
  const { stdout } = await runShortCommand('sh', ['-c', 'sleep 60 & echo $!']);
  process.kill(Number(stdout), 'SIGKILL'); // throws if it had not outlived the command
  t.match(stdout, /^\d+$/);
});

void t.test('what runs over its time is ended and told', async (t) => {
  await t.rejects(runShortCommand('sleep', ['60'], { timeoutSeconds: 0.1 }), {
    code: 'COMMAND_FAILED',
    message: 'sleep was ended: no result within 0.1 s',
  });
});
