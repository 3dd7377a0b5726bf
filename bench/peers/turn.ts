/** What one turn of one of those who take part gave. */
export interface Turn {
  /** From the request until the normal target is back; 0 where nobody has to leave. */
  awaySeconds: number;
  /**
   * Of it, from the end of one container to the first word of the PID 1 of the next one: it stands where firmware, boot
   * loader and kernel do on a real machine. 0 for soft-reboots.
   */
  gapSeconds: number;
  installSeconds: number;
  /** Of the block device, from the request until the normal target is back and nothing more is to start. */
  flushes: number;
  /** To the block device, until all is on the disk. */
  megabytesWritten: number;
  /** Only of a turn in which the memory was looked at; nothing else should be read from such a one. */
  memoryMegabytes?: number;
}
