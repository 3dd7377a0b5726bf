/**
 * The lines that apt (`APT::Status-Fd`; README.progress-reporting of apt) and dpkg (`--status-fd`; dpkg(1)) write while
 * they work. Both give one kind of event.
 *
 *     pmstatus:lab-app:11.1111:Unpacking lab-app (amd64)      status: lab-app:amd64: half-installed
 *     pmerror:/x/lab-app_2.0_all.deb:33.3333:new ...          status: /x/lab-app_2.0_all.deb : error : new ...
 *     pmconffile:/etc/lab.conf:40.0000:'old' 'new' 1 1        status: /etc/lab.conf : conffile-prompt : 'old' ...
 *     dlstatus:1:79.9921:Retrieving file 1 of 2               processing: configure: lab-app:amd64
 *     media-change: medium,drive
 *
 * Pure; a line of another kind is undefined, never an error: progress must not break an installation.
 */
export type StatusEvent =
  /** `item` is a package name without architecture, or `dpkg-exec`; `stage` is how far it has come. */
  | { kind: 'progress'; item: string; stage: Stage; text: string }
  /** `item` is a package name without architecture, or the path of a .deb. */
  | { kind: 'error'; item: string; text: string }
  /** Told even when the options have already decided. */
  | { kind: 'conffile'; path: string }
  | { kind: 'download'; text: string }
  | { kind: 'media-change'; text: string };

export type Stage = 'other' | 'preparing' | 'unpacking' | 'unpacked' | 'configuring' | 'removing' | 'done';

export function parseStatusLine(line: string): StatusEvent | undefined {
  return parseAptLine(line) ?? parseDpkgLine(line);
}

/** The second field may hold a colon (a path, a name with architecture): the number after it is the sure mark. */
const aptLine = /^(pmstatus|pmerror|pmconffile|dlstatus):(.+?):-?\d+(?:\.\d+)?:(.*)$/s;

function parseAptLine(line: string): StatusEvent | undefined {
  if (line.startsWith('media-change:')) {
    return { kind: 'media-change', text: line.slice('media-change:'.length).trim() };
  }
  const [, kind, field, text] = aptLine.exec(line) ?? [];
  if (field === undefined || text === undefined) return undefined;
  switch (kind) {
    case 'pmstatus':
      return { kind: 'progress', item: bareName(field), stage: stageOfAptWords(text), text };
    case 'pmerror':
      return { kind: 'error', item: bareName(field), text };
    case 'pmconffile':
      return { kind: 'conffile', path: field };
    default:
      return { kind: 'download', text };
  }
}

function stageOfAptWords(text: string): Stage {
  if (/^Installed /.test(text) || /^(Completely r|R)emoved /.test(text)) return 'done';
  if (/^(Preparing to configure|Configuring) /.test(text)) return 'configuring';
  if (/^Installing /.test(text)) return 'unpacked';
  if (/^Unpacking /.test(text)) return 'unpacking';
  if (/^(Removing|Preparing for removal of|Preparing to completely remove) /.test(text)) return 'removing';
  if (/^Preparing /.test(text)) return 'preparing';
  return 'other';
}

function parseDpkgLine(line: string): StatusEvent | undefined {
  const [, stage, worked] = /^processing: ([\w-]+): (\S+)$/.exec(line) ?? [];
  if (stage !== undefined && worked !== undefined) {
    const item = bareName(worked);
    return { kind: 'progress', item, stage: stageOfProcessing(stage), text: `${stage} ${item}` };
  }
  const [, item, what, text] = /^status: (.+?) : (error|conffile-prompt) : (.*)$/s.exec(line) ?? [];
  if (item !== undefined && text !== undefined) {
    return what === 'error'
      ? { kind: 'error', item: bareName(item), text }
      : { kind: 'conffile', path: item };
  }
  const [, named, state] = /^status: (\S+): ([a-z-]+)$/.exec(line) ?? [];
  if (named === undefined || state === undefined) return undefined;
  const name = bareName(named);
  return { kind: 'progress', item: name, stage: stageOfState(state), text: `${name} ${state}` };
}

function stageOfProcessing(stage: string): Stage {
  switch (stage) {
    case 'install':
    case 'upgrade':
      return 'preparing';
    case 'configure':
      return 'configuring';
    case 'remove':
    case 'purge':
    case 'disappear':
      return 'removing';
    default:
      return 'other';
  }
}

/**
 * `half-configured` and `unpacked` are told of the *old* version, too, while it is taken down, and the trigger states
 * of packages whose turn is yet to come: no sure stage.
 */
function stageOfState(state: string): Stage {
  switch (state) {
    case 'half-installed':
      return 'unpacking';
    case 'installed':
    case 'config-files':
    case 'not-installed':
      return 'done';
    default:
      return 'other';
  }
}

function bareName(field: string): string {
  return field.startsWith('/') ? field : field.replace(/:[a-z0-9-]+$/, '');
}
