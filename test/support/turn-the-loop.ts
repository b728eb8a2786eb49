import { setTimeout } from 'node:timers/promises'
import { afterEach } from 'vitest'

/**
 * Vitest waits a minute for the answer of a worker. Synchronous tests, one after the other, would keep it waiting while programs that
 * they start take long.
 */
afterEach(() => setTimeout(1))
