/**
 * What a reason says in one line. The lines below it, as the tail of the terminal log, are evidence: for who asks for the
 * whole, by `report`, `status` and each `--json`.
 */
export function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? '';
}
