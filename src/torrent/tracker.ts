import Server from 'bittorrent-tracker/server'
import { isSystemError, MurderError } from '../errors.ts'

export interface Tracker {
  readonly port: number
  close(): Promise<void>
}

/** Seconds between the announces that peers are asked for. */
const INTERVAL = 60
const MOST_PEERS = 20_000

/**
 * An HTTP tracker (`/announce`, `/scrape`, `/stats`) on IPv4 and IPv6. `only` are the infohashes (hex) it serves; all
 * if it is left out. Throws MurderError `PORT_TAKEN`.
 */
export async function startTracker(options: {
  port: number
  host?: string
  only?: string[]
}): Promise<Tracker> {
  const only = options.only && new Set(options.only.map((hash) => hash.toLowerCase()))
  const server = new Server({
    udp: false,
    ws: false,
    stats: true,
    interval: INTERVAL * 1000,
    peersCacheLength: MOST_PEERS,
    filter: (infoHash, _params, done) => {
      done(!only || only.has(infoHash) ? null : new Error('this tracker does not serve that torrent'))
    },
  })
  // Every bad request is a warning of the module's; the sender has been told already.
  server.on('warning', () => {})
  // The module repeats the errors of its HTTP server here, where without a listener they would end the process.
  server.on('error', () => {})
  const hosts = options.host === undefined ? ['::', '0.0.0.0'] : [options.host]
  await listenOnFirst(server, options.port, hosts)
  server.http.requestTimeout = 10_000
  server.http.headersTimeout = 10_000
  return {
    port: (server.http.address() as { port: number }).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.http.closeAllConnections()
      }),
  }
}

/** `::` also takes IPv4, where the machine has IPv6 at all. */
async function listenOnFirst(server: Server, port: number, hosts: string[]): Promise<void> {
  for (const host of hosts) {
    try {
      await new Promise<void>((resolve, reject) => {
        server.http.once('error', reject)
        server.http.listen(port, host, () => {
          server.http.off('error', reject)
          resolve()
        })
      })
      return
    } catch (error) {
      if (isSystemError(error, 'EADDRINUSE')) {
        throw new MurderError('PORT_TAKEN', `Port ${port} is taken: the tracker cannot listen there`, {
          cure: 'stop the program that uses it (another deploy?), or choose another port: murder.tracker.port, or --port',
          cause: error,
        })
      }
      if (isSystemError(error, 'EAFNOSUPPORT') && host !== hosts.at(-1)) continue
      throw new MurderError(
        'NO_LISTEN',
        `The tracker cannot listen on ${host} port ${port}: ${(error as Error).message}`,
        {
          cure: 'choose an address and a port that this machine may use',
          cause: error,
        },
      )
    }
  }
}
