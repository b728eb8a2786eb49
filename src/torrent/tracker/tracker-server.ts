import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import bencode from 'bencode'
import Server from 'bittorrent-tracker/server'
import { METRICS_CONTENT_TYPE } from '../../text/prometheus.ts'
import { ConnectionLimit } from '../access/connection-limit.ts'
import { admit, type Permit } from '../access/tracker-gate.ts'
import { type AnnounceParams, correctAddresses, useAnnouncedAddress } from './announced-address.ts'
import { keepBinary } from './binary-answers.ts'
import { listenOnFree } from './listen.ts'
import { Locator } from './locator.ts'
import { tellPlace } from './tell-place.ts'
import { trackerMetrics } from './tracker-metrics.ts'

export interface Tracker {
  readonly port: number
  close(): Promise<void>
}

/** Time between two announces of a peer, and so how long two peers may not know each other. */
const ANNOUNCE_INTERVAL_MS = 20_000
const MAX_PEERS = 20_000
/** How many torrents an open tracker serves: each costs memory. */
const MAX_TORRENTS = 1000
/** Connections at one time; an announce takes some milliseconds. */
const MAX_CONNECTIONS = 512
/** Time for a whole request. */
const REQUEST_TIMEOUT_MS = 5000
/** Time between two checks for slow requests. */
const TIMEOUT_CHECK_MS = 1000

/**
 * An HTTP tracker on IPv4 and IPv6. Without `permits` it is open to all (`/announce`, `/scrape`, `/stats`, `/metrics`); then
 * `only` are the infohashes (hex) that it serves, or all if it is left out. With `permits`, which may change while it runs, it
 * answers only announces that a permit covers. If `port` is taken, it uses the first free one up to `lastPort`. Throws
 * PORT_TAKEN, NO_LISTEN.
 */
export async function startTracker(options: {
  port: number
  lastPort?: number
  host?: string
  only?: string[]
  permits?: () => readonly Permit[]
}): Promise<Tracker> {
  const only = options.only && new Set(options.only.map((hash) => hash.toLowerCase()))
  const { permits } = options
  const locator = new Locator()
  const server: Server = new Server({
    // By default Node looks for slow requests only every 30 s.
    http: {
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
    },
    udp: false,
    ws: false,
    stats: permits === undefined,
    interval: ANNOUNCE_INTERVAL_MS,
    peersCacheLength: MAX_PEERS,
    filter: (infoHash, params, done) => {
      const announced = params as AnnounceParams
      useAnnouncedAddress(announced)
      if (only && !only.has(infoHash)) return done(new Error('this tracker does not serve that torrent'))
      if (Object.keys(server.torrents).length >= MAX_TORRENTS && !(infoHash in server.torrents))
        return done(new Error('this tracker serves too many torrents already'))
      if (announced.locate === undefined) return done(null)
      void tellPlace(announced, locator, permits !== undefined).then(() => done(null))
    },
  })
  correctAddresses(server.http)
  keepBinary(server.http)
  // The module warns about every bad request, but that was answered already.
  server.on('warning', () => {})
  // The module repeats the errors of its HTTP server here. Without a listener they would end the process.
  server.on('error', () => {})
  const hosts = options.host === undefined ? ['::', '0.0.0.0'] : [options.host]
  if (permits)
    server.http.prependListener('request', (request, response) => guard(permits(), request, response))
  else server.http.prependListener('request', answerMetrics(server))
  limitConnections(server)
  await listenOnFree(server.http, [options.port, options.lastPort ?? options.port], hosts)
  return {
    port: (server.http.address() as { port: number }).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.http.closeAllConnections()
      }),
  }
}

/** The module ignores a request that is answered already, and reads the URL of any other. */
function guard(permits: readonly Permit[], request: IncomingMessage, response: ServerResponse): void {
  const { url, refusal } = {
    refusal: undefined,
    ...admit(permits, request.url ?? '', request.socket.remoteAddress ?? ''),
  }
  if (url !== undefined) request.url = url
  else if (refusal === undefined) response.writeHead(404).end()
  else response.writeHead(200).end(bencode.encode({ 'failure reason': refusal }))
}

/** The module ignores a request that is answered already. */
function answerMetrics(server: Server): (request: IncomingMessage, response: ServerResponse) => void {
  let announces = 0
  for (const event of ['start', 'update', 'complete', 'stop']) server.on(event, () => announces++)
  return (request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') return
    response
      .writeHead(200, { 'Content-Type': METRICS_CONTENT_TYPE })
      .end(trackerMetrics(server.torrents, { announces }))
  }
}

/** Against slow clients and floods: Node ends a request that takes too long, and too many connections displace the oldest. */
function limitConnections({ http }: Server): void {
  const limit = new ConnectionLimit<Socket>(MAX_CONNECTIONS)
  http.on('connection', (socket: Socket) => {
    socket.once('close', () => limit.remove(socket))
    limit.add(socket, socket.remoteAddress ?? '')?.destroy()
  })
}
