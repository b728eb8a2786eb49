import { connect } from 'node:net'

const PATIENCE_MS = 1500

/** Why nothing listens at a tracker's address, or undefined when something does. */
export function probeTracker(url: string): Promise<string | undefined> {
  const { protocol, hostname, port } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  return new Promise((resolve) => {
    const socket = connect({
      host,
      port: Number(port) || (protocol === 'https:' ? 443 : 80),
      timeout: PATIENCE_MS,
    })
    const settle = (why?: string) => {
      socket.destroy()
      resolve(why)
    }
    socket.once('connect', () => settle())
    socket.once('timeout', () => settle('no answer'))
    socket.once('error', (error: NodeJS.ErrnoException) => settle(error.code ?? error.message))
  })
}
