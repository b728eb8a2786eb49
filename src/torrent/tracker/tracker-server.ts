import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import bencode from 'bencode'
import Server from 'bittorrent-tracker/server'
import { isSystemError, MurderError } from '../../errors.ts'
import { ConnectionLimit } from '../access/connection-limit.ts'
import { admit, type Permit } from '../access/tracker-gate.ts'
import { type AnnounceParams, correctAddresses, useAnnouncedAddress } from './announced-address.ts'

export interface Tracker {
  readonly port: number
  close(): Promise<void>
}

/** Seconds between the announces that peers are asked for: how long a peer may not know of one that cannot reach it. */
const INTERVAL = 20
const MOST_PEERS = 20_000
/** Torrents that an open tracker keeps; it costs memory to know each. */
const MOST_TORRENTS = 1000
/** Connections at one time: an announce takes some milliseconds. */
const MOST_CONNECTIONS = 512
/** Milliseconds for a whole request, and between two looks for connections that take longer. */
const PATIENCE = 5000
const LOOK = 1000

/**
 * An HTTP tracker on IPv4 and IPv6. Without `permits` it is open to all (`/announce`, `/scrape`, `/stats`); `only` are
 * the infohashes (hex) it serves then, all if it is left out. With `permits`, which may change while it runs, it answers
 * nothing but announces that one of them covers. Throws MurderError `PORT_TAKEN`.
 */
export async function startTracker(options: {
  port: number
  host?: string
  only?: string[]
  permits?: () => readonly Permit[]
}): Promise<Tracker> {
  const only = options.only && new Set(options.only.map((hash) => hash.toLowerCase()))
  const { permits } = options
  const server: Server = new Server({
    // Node looks for slow requests only every 30 s unless told otherwise.
    http: {
      requestTimeout: PATIENCE,
      headersTimeout: PATIENCE,
      keepAliveTimeout: PATIENCE,
      connectionsCheckingInterval: LOOK,
    },
    udp: false,
    ws: false,
    stats: permits === undefined,
    interval: INTERVAL * 1000,
    peersCacheLength: MOST_PEERS,
    filter: (infoHash, params, done) => {
      useAnnouncedAddress(params as AnnounceParams)
      if (only && !only.has(infoHash)) done(new Error('this tracker does not serve that torrent'))
      else if (Object.keys(server.torrents).length < MOST_TORRENTS || infoHash in server.torrents) done(null)
      else done(new Error('this tracker serves too many torrents already'))
    },
  })
  correctAddresses(server.http)
  // Every bad request is a warning of the module's; the sender has been told already.
  server.on('warning', () => {})
  // The module repeats the errors of its HTTP server here, where without a listener they would end the process.
  server.on('error', () => {})
  const hosts = options.host === undefined ? ['::', '0.0.0.0'] : [options.host]
  if (permits)
    server.http.prependListener('request', (request, response) => guard(permits(), request, response))
  limitConnections(server)
  await listenOnFirst(server, options.port, hosts)
  return {
    port: (server.http.address() as { port: number }).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.http.closeAllConnections()
      }),
  }
}

/** The module passes over a request that has been answered, and reads the URL of one that has not. */
function guard(permits: readonly Permit[], request: IncomingMessage, response: ServerResponse): void {
  const { url, refusal } = {
    refusal: undefined,
    ...admit(permits, request.url ?? '', request.socket.remoteAddress ?? ''),
  }
  if (url !== undefined) request.url = url
  else if (refusal === undefined) response.writeHead(404).end()
  else response.writeHead(200).end(bencode.encode({ 'failure reason': refusal }))
}

/** Slow clients and floods: Node ends a request that takes too long, and of too many connections the oldest go. */
function limitConnections({ http }: Server): void {
  const room = new ConnectionLimit<Socket>(MOST_CONNECTIONS)
  http.on('connection', (socket: Socket) => {
    socket.once('close', () => room.leave(socket))
    room.enter(socket, socket.remoteAddress ?? '')?.destroy()
  })
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
          cure: 'stop the program that uses it, or choose another port with --port',
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
