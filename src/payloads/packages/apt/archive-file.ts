/**
 * The name that apt gives to a package's file in its archives folder: `NAME_VERSION_ARCHITECTURE.deb`, where `_`, `:`
 * (and in the architecture `.`) are written as `%5f`, `%3a`, `%2e` (apt-pkg/acquire-item.cc, pkgAcqArchive).
 */
export interface PackageIdentity {
  name: string;
  architecture: string;
  version: string;
}

export function archiveFileName({ name, version, architecture }: PackageIdentity): string {
  return `${quote(name, '_:')}_${quote(version, '_:')}_${quote(architecture, '_:.')}.deb`;
}

/** Undefined for a name of another kind. */
export function parseArchiveFileName(file: string): PackageIdentity | undefined {
  const [name, version, architecture, ...rest] = file
    .replace(/\.deb$/, '')
    .split('_')
    .map(unquote);
  if (!file.endsWith('.deb') || rest.length > 0) return undefined;
  if (name === undefined || version === undefined || architecture === undefined) return undefined;
  return { name, version, architecture };
}

function unquote(text: string): string {
  const bytes = text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}

/** apt's QuoteString: those characters, and whatever is not printable ASCII, and `%` itself. */
function quote(text: string, bad: string): string {
  return [...Buffer.from(text)]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      const isPlain = byte > 0x20 && byte < 0x7f && character !== '%' && !bad.includes(character);
      return isPlain ? character : `%${byte.toString(16).padStart(2, '0')}`;
    })
    .join('');
}
