/** Receives the operations that make a file from an earlier release, in order. */
export interface OperationSink {
  /** Copies `bytes`. */
  literal(bytes: Buffer): void
  /**
   * `file` is an index in the base. `differences` are pairs: the number of equal bytes before it, and the value that is added to
   * the old byte.
   */
  copy(file: number, offset: number, length: number, differences?: readonly number[]): void
}
