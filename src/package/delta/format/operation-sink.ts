/** Takes what makes a file of an earlier release, in order. */
export interface OperationSink {
  /** Copies `bytes`. */
  literal(bytes: Buffer): void
  /**
   * `file` is an index in the base. `differences` are pairs: how many bytes are the same before it, and what is added to the old
   * byte.
   */
  copy(file: number, offset: number, length: number, differences?: readonly number[]): void
}
