import { connect } from 'node:net'
import { endpointOf } from '../../system/addresses.ts'

const TIMEOUT_MS = 1500

/** Why nothing listens at a tracker's address, or undefined when something does. */
export function probeTracker(url: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ ...endpointOf(url), timeout: TIMEOUT_MS })
    const settle = (why?: string) => {
      socket.destroy()
      resolve(why)
    }
    socket.once('connect', () => settle())
    socket.once('timeout', () => settle('no answer'))
    socket.once('error', (error: NodeJS.ErrnoException) => settle(error.code ?? error.message))
  })
}
