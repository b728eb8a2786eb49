import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import bencode from 'bencode'
import Server from 'bittorrent-tracker/server'
import { METRICS_CONTENT_TYPE } from '../../text/prometheus.ts'
import { ConnectionLimit } from '../access/connection-limit.ts'
import { admit, type Permit } from '../access/tracker-gate.ts'
import {
  type AnnounceParams,
  announcedAddress,
  callerOf,
  correctAddresses,
  useAnnouncedAddress,
} from './announced-address.ts'
import { keepBinary } from './binary-answers.ts'
import { listenOnFree } from './listen.ts'
import { OtherPeers } from './other-peers.ts'
import { Locator } from './sites/locator.ts'
import { tellPlace } from './sites/tell-place.ts'
import { trackerMetrics } from './tracker-metrics.ts'

/** A peer's announce that was answered. */
export interface Announced {
  /** Hex. */
  infoHash: string
  /** `host:port`, as others are told. */
  address: string
  event: 'started' | 'update' | 'completed' | 'stopped'
  /** Bytes; infinite where the peer does not say. */
  left: number
  uploaded: number
}

/** People who look at a tracker's swarms. */
export interface TrackerAudience {
  /** Whether somebody looks on now: peers are asked to announce more often then. */
  readonly isWatched: boolean
  announced(announced: Announced): void
  /** Answers a request for a page at once; leaves any other one alone. */
  answer(request: IncomingMessage, response: ServerResponse): void
  end(): void
}

export interface Tracker {
  readonly port: number
  close(): Promise<void>
}

/** Time between two announces of a peer, and so how long two peers may not know each other. */
const ANNOUNCE_INTERVAL_MS = 20_000
/** While people look on, and how many peers may announce in a second at most for their sake. */
const WATCHED_INTERVAL_MS = 2000
const WATCHED_ANNOUNCES_S = 50
const MAX_PEERS = 20_000
/** How many torrents an open tracker serves: each costs memory. */
const MAX_TORRENTS = 1000
/** Connections at one time; an announce takes some milliseconds. */
const MAX_CONNECTIONS = 512
/** Time for a whole request. */
const REQUEST_TIMEOUT_MS = 5000
/** Time between two checks for slow requests. */
const TIMEOUT_CHECK_MS = 1000

Server.Swarm = OtherPeers

/**
 * An HTTP tracker on IPv4 and IPv6. Without `permits` it is open to all (`/announce`, `/scrape`, `/stats`, `/metrics`); then
 * `only` are the infohashes (hex) that it serves, or all if it is left out. With `permits`, which may change while it runs, it
 * answers only announces that a permit covers, and its audience. Where `port` is taken it takes the first free one up to `lastPort`. Throws
 * PORT_TAKEN, NO_LISTEN.
 */
export async function startTracker(options: {
  port: number
  lastPort?: number
  host?: string
  only?: string[]
  permits?: () => readonly Permit[]
  audience?: TrackerAudience
}): Promise<Tracker> {
  const only = options.only && new Set(options.only.map((hash) => hash.toLowerCase()))
  const { permits, audience } = options
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
      const { complete = 0, incomplete = 0 } = server.torrents[infoHash] ?? {}
      server.intervalMs = intervalMs(complete + incomplete, audience ?? {})
      if (only && !only.has(infoHash)) return done(new Error('this tracker does not serve that torrent'))
      if (Object.keys(server.torrents).length >= MAX_TORRENTS && !(infoHash in server.torrents))
        return done(new Error('this tracker serves too many torrents already'))
      if (announced.locate === undefined) return done(null)
      void tellPlace(announced, locator, permits !== undefined).then(() => done(null))
    },
  })
  correctAddresses(server.http, permits === undefined)
  keepBinary(server.http)
  // The module warns about every bad request, but that was answered already.
  server.on('warning', () => {})
  // The module repeats the errors of its HTTP server here. Without a listener they would end the process.
  server.on('error', () => {})
  const hosts = options.host === undefined ? ['::', '0.0.0.0'] : [options.host]
  if (permits)
    server.http.prependListener('request', (request, response) => guard(permits(), request, response))
  else server.http.prependListener('request', answerMetrics(server))
  if (audience) serveAudience(server, audience)
  limitConnections(server)
  await listenOnFree(server.http, [options.port, options.lastPort ?? options.port], hosts)
  return {
    port: (server.http.address() as { port: number }).port,
    close: () =>
      new Promise((resolve) => {
        audience?.end()
        server.close(() => resolve())
        server.http.closeAllConnections()
      }),
  }
}

/** The module ignores a request that is answered already, and reads the URL of any other. */
function guard(permits: readonly Permit[], request: IncomingMessage, response: ServerResponse): void {
  if (response.headersSent) return
  const { url, refusal } = {
    refusal: undefined,
    ...admit(permits, request.url ?? '', callerOf(request), announcedAddress(request, false)),
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

/** The module ignores a request that is answered already, and repeats each announce, also one that it has refused. */
function serveAudience(server: Server, audience: TrackerAudience): void {
  server.http.prependListener('request', (request, response) => audience.answer(request, response))
  for (const event of ['start', 'update', 'complete', 'stop']) {
    server.on(event, (address: string, { info_hash: infoHash, event, left, uploaded }: AnnounceParams) => {
      if (infoHash in server.torrents)
        audience.announced({ infoHash, address, event, left, uploaded: Number(uploaded) || 0 })
    })
  }
}

/** More often while people look on, as far as the number of peers allows it. */
function intervalMs(peers: number, { isWatched = false }: Partial<TrackerAudience>): number {
  const watchedMs = Math.max(WATCHED_INTERVAL_MS, (peers / WATCHED_ANNOUNCES_S) * 1000)
  return isWatched ? Math.min(watchedMs, ANNOUNCE_INTERVAL_MS) : ANNOUNCE_INTERVAL_MS
}

/** Against slow clients and floods: Node ends a request that takes too long, and too many connections displace the oldest. */
function limitConnections({ http }: Server): void {
  const limit = new ConnectionLimit<Socket>(MAX_CONNECTIONS)
  http.on('connection', (socket: Socket) => {
    socket.once('close', () => limit.remove(socket))
    limit.add(socket, socket.remoteAddress ?? '')?.destroy()
  })
}
