/** How the kernel writes paths in /proc (mountinfo, swaps): blank, tab, newline and backslash in octal, the rest as bytes of UTF-8. */
export function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}
