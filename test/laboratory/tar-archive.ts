/** One member of a ustar archive. Folders end with `/`. Owner is root, time is fixed, so that equal input gives equal bytes. */
export interface TarMember {
  /** Begins with `./`, as dpkg-deb writes it. */
  name: string;
  mode: number;
  content?: Buffer;
  linkTarget?: string;
}

const block = 512;
const timeSeconds = 1_750_000_000;

/** Writes a POSIX ustar archive (uncompressed). Throws RangeError for a name of more than 100 bytes. */
export function tarArchive(members: readonly TarMember[]): Buffer {
  const parts = members.flatMap((member) => {
    const content = member.content ?? Buffer.alloc(0);
    return [header(member, content.length), content, padding(content.length)];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * block)]);
}

function header(member: TarMember, size: number): Buffer {
  const bytes = Buffer.alloc(block);
  if (Buffer.byteLength(member.name) > 100) throw new RangeError(`name too long for ustar: ${member.name}`);
  const octal = (value: number, offset: number, digits: number) =>
    bytes.write(value.toString(8).padStart(digits, '0'), offset);
  bytes.write(member.name, 0);
  octal(member.mode, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(size, 124, 11);
  octal(timeSeconds, 136, 11);
  bytes.write('        ', 148);
  bytes.write(typeFlag(member), 156);
  bytes.write(member.linkTarget ?? '', 157);
  bytes.write('ustar\x0000root', 257);
  bytes.write('root', 297);
  octal(
    bytes.reduce((sum, byte) => sum + byte, 0),
    148,
    6,
  );
  bytes.write('\0 ', 154);
  return bytes;
}

function typeFlag(member: TarMember): string {
  if (member.linkTarget !== undefined) return '2';
  return member.name.endsWith('/') ? '5' : '0';
}

function padding(size: number): Buffer {
  return Buffer.alloc((block - (size % block)) % block);
}
