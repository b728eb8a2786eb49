import { expect } from 'vitest'

/** Vitest compares bytes one by one as properties, which takes seconds for a MiB. */
expect.addEqualityTesters([
  (a: unknown, b: unknown) => (Buffer.isBuffer(a) && Buffer.isBuffer(b) ? a.equals(b) : undefined),
])
