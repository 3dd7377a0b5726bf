/**
 * Runs a program, and all that it starts, so that none of their syncs reach a disk (spared-calls.ts). Only for what can
 * be thrown away as a whole until somebody else has synced the file systems for real.
 *
 * The filter is put on by perl, which is essential on Debian, in the very process that then becomes the program. Not by
 * setpriv(1) --seccomp-filter, which sets no_new_privs: setuid helpers of maintainer scripts would fail under it. Root
 * may put a filter on without that.
 */
import type { RunCommand } from './command.js';
import { HostError } from './host-error.js';
import { sparedCallsFilter } from './spared-calls.js';

/** prctl(2) in the kernel's tables, by Node's name of the architecture. */
const prctl: Partial<Record<NodeJS.Architecture, number>> = { x64: 157, arm64: 167 };

/**
 * Arguments: the number of prctl(2), the filter in hex, a program and its words. 22 is PR_SET_SECCOMP, 2
 * SECCOMP_MODE_FILTER; the packed structure is `struct sock_fprog`. Ends with 125 when the kernel refuses.
 */
const launcher = `my ($prctl, $hex, @words) = @ARGV;
my $filter = pack("H*", $hex);
my $program = pack("S x![P] P", length($filter) / 8, $filter);
if (syscall($prctl + 0, 22, 2, $program) != 0) { print STDERR "no seccomp filter: $!\\n"; exit 125; }
exec { $words[0] } @words;
print STDERR "cannot run $words[0]: $!\\n"; exit 127;`;

/** What to run in the place of a program. */
export function withoutSyncs(file: string, args: readonly string[]): { file: string; args: string[] } {
  const call = prctl[process.arch];
  if (call === undefined) throw new Error(`no system call table for ${process.arch}`);
  return {
    file: 'perl',
    args: ['-e', launcher, '--', String(call), sparedCallsFilter().toString('hex'), file, ...args],
  };
}

/** Why it is not possible here; undefined when it is. Tried for real: one short child. */
export async function whySyncsStay(run: RunCommand): Promise<string | undefined> {
  if (prctl[process.arch] === undefined) return `there is no filter for ${process.arch}`;
  const { file, args } = withoutSyncs('true', []);
  try {
    const { exitCode, stderr } = await run(file, args);
    return exitCode === 0 ? undefined : stderr;
  } catch (error) {
    if (error instanceof HostError) return error.message;
    throw error;
  }
}
