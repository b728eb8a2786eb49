import { request as requestHttp } from 'node:http'
import { MurderError } from '../../errors.ts'
import { formatAddress, isLoopback, plainAddress } from '../../system/addresses.ts'
import { oneLine } from '../../text/format.ts'
import { decodeUntrusted } from '../encoding/bencode.ts'
import { decodeCompact } from '../encoding/compact.ts'
import { isTracker } from './announce-url.ts'
import { isPlaceName } from './sites/places.ts'
import { type Guidance, isRank } from './sites/site-roster.ts'

/** A longer answer of a tracker is an error. */
const LONGEST_ANSWER_BYTES = 256 * 1024
/** As many as libtorrent follows. */
const MAX_REDIRECTS = 5
/** Longest silence of the tracker. */
const IDLE_TIMEOUT_MS = 10_000
/** Time for the whole answer, even if the tracker keeps sending single bytes. */
const ANSWER_TIMEOUT_MS = 30_000

/** Key of an answer: the place of the asking peer. */
export const PLACE_KEY = 'murder_place'
/** Keys of an answer: the peer's number among the leaders of its site, -1 if it is none, and whom it should connect to. */
export const RANK_KEY = 'murder_rank'
export const PARTNERS_KEY = 'murder_partners'
export const PARTNERS6_KEY = 'murder_partners6'

export interface AnnounceRequest {
  infoHash: string
  /** 20 bytes, hex. */
  peerId: string
  port: number
  uploaded: number
  downloaded: number
  left: number
  event?: 'started' | 'completed' | 'stopped'
  /** Peers wanted. */
  want: number
  /** The address that others shall get, if it differs from the one that the tracker sees. */
  address?: string
  /** Whether to ask the tracker for this peer's place. Only our own tracker answers that. */
  locate?: boolean
  /** The name of this peer's site, in a swarm so large that only some of a site connect to others. Only our own tracker heeds it. */
  site?: string
}

export interface AnnounceAnswer {
  /** Seconds until the next announce, as the tracker wants it. */
  interval: number
  /** `host:port`, IPv6 in brackets. */
  peers: string[]
  /** The number of participants that the tracker knows, including this one; 0 when it does not say. */
  swarm: number
  /** The name of the place where this peer is. */
  place?: string | undefined
  /** In a large swarm of several sites: whom to connect to. */
  guidance?: Guidance<string> | undefined
}

/**
 * One announce to an HTTP tracker (BEP 3, BEP 7, BEP 23). Rejects with a MurderError `TRACKER`.
 * Own code on node:http, because the tracker modules' clients load WebSocket, WebRTC and fetch: 60 ms of a peer's start.
 */
export async function announce(url: string, request: AnnounceRequest): Promise<AnnounceAnswer> {
  try {
    const { status, body } = await fetchAnswer(announceUrl(url, request))
    if (status === 200) return parseAnswer(body)
    throw new Error(failureReason(body) ?? `it answers HTTP ${status}`)
  } catch (error) {
    throw trackerError(url, error instanceof Error ? error.message : String(error))
  }
}

/** Throws an Error that names the fault of the answer, or quotes the tracker's complaint about the request. */
export function parseAnswer(bytes: Uint8Array): AnnounceAnswer {
  const answer = decodeAnswer(bytes)
  const failure = reasonIn(answer)
  if (failure !== undefined) throw new Error(failure)
  return {
    interval: readInterval(answer.interval),
    peers: [...readPeers(answer.peers, 4), ...readPeers(answer.peers6, 6)],
    swarm: readCount(answer.complete) + readCount(answer.incomplete),
    place: readPlace(answer[PLACE_KEY]),
    guidance: readGuidance(answer),
  }
}

function reasonIn({ 'failure reason': reason }: Record<string, unknown>): string | undefined {
  return reason instanceof Uint8Array ? oneLine(Buffer.from(reason).toString().slice(0, 200)) : undefined
}

/** The tracker's own words in an answer that may be a page of a web server. */
function failureReason(bytes: Uint8Array): string | undefined {
  try {
    return reasonIn(decodeAnswer(bytes))
  } catch {
    return undefined
  }
}

function decodeAnswer(bytes: Uint8Array): Record<string, unknown> {
  let answer: unknown
  try {
    answer = decodeUntrusted(bytes)
  } catch {
    throw new Error('its answer is not bencoded')
  }
  if (typeof answer !== 'object' || answer === null) throw new Error('its answer is no dictionary')
  return answer as Record<string, unknown>
}

function announceUrl(url: string, request: AnnounceRequest): string {
  const values: [string, string | number][] = [
    ['port', request.port],
    ['uploaded', request.uploaded],
    ['downloaded', request.downloaded],
    ['left', request.left],
    ['compact', 1],
    ['numwant', request.want],
  ]
  if (request.event) values.push(['event', request.event])
  if (request.locate) values.push(['locate', 1])
  if (request.site !== undefined) values.push(['site', encodeURIComponent(request.site)])
  if (request.address) values.push(['ip', encodeURIComponent(request.address)])
  const query = values.map(([key, value]) => `${key}=${value}`).join('&')
  const join = !url.includes('?') ? '?' : /[?&]$/.test(url) ? '' : '&'
  return `${url}${join}info_hash=${percent(request.infoHash)}&peer_id=${percent(request.peerId)}&${query}`
}

/** Bytes in a URL, each as %xx. */
function percent(hex: string): string {
  return hex.replace(/../g, '%$&')
}

function readInterval(value: unknown): number {
  return typeof value === 'number' && value > 0 ? Math.min(Math.max(value, 1), 24 * 3600) : 600
}

function readCount(value: unknown): number {
  return typeof value === 'number' && value > 0 ? value : 0
}

function readPlace(value: unknown): string | undefined {
  const name = value instanceof Uint8Array ? Buffer.from(value).toString() : ''
  return isPlaceName(name) ? name : undefined
}

function readGuidance({
  [RANK_KEY]: rank,
  [PARTNERS_KEY]: partners,
  [PARTNERS6_KEY]: partners6,
}: Record<string, unknown>): Guidance<string> | undefined {
  if (typeof rank !== 'number') return undefined
  return {
    rank: isRank(rank) ? rank : undefined,
    partners: [...readPeers(partners, 4), ...readPeers(partners6, 6)],
  }
}

function readPeers(value: unknown, version: 4 | 6): string[] {
  if (Array.isArray(value)) {
    return value.flatMap((peer) => {
      const ip = peer?.ip instanceof Uint8Array ? Buffer.from(peer.ip).toString() : ''
      const port = Number(peer?.port)
      return /^[\w.:-]+$/.test(ip) && Number.isInteger(port) && port > 0 && port < 65536
        ? [formatAddress(ip, port)]
        : []
    })
  }
  return value instanceof Uint8Array ? decodeCompact(value, version) : []
}

/** TLS is loaded only where it is needed: it would take 8 ms of every start. */
const requesterOf = async (url: string) =>
  url.startsWith('https:') ? (await import('node:https')).request : requestHttp

interface Answer {
  status: number
  body: Buffer
  /** Where a redirect leads. */
  location: string | undefined
}

/** Follows redirects to other trackers, as far as libtorrent does. */
async function fetchAnswer(url: string): Promise<Answer> {
  let at = url
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const answer = await fetchOnce(at)
    if (![301, 302, 303, 307, 308].includes(answer.status)) return answer
    const { location } = answer
    if (location === undefined || !URL.canParse(location, at))
      throw new Error('it redirects without saying where to')
    at = new URL(location, at).href
    if (!isTracker(at)) throw new Error('it redirects to what is no HTTP tracker')
  }
  throw new Error(`it redirects more than ${MAX_REDIRECTS} times`)
}

async function fetchOnce(url: string): Promise<Answer> {
  const start = await requesterOf(url)
  return new Promise((resolve, reject) => {
    const request = start(
      url,
      {
        agent: false,
        timeout: IDLE_TIMEOUT_MS,
        signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
        headers: { 'user-agent': 'shipit-murder' },
      },
      (response) => {
        const chunks: Buffer[] = []
        let size = 0
        response.on('data', (chunk: Buffer) => {
          size += chunk.length
          if (size > LONGEST_ANSWER_BYTES) request.destroy(new Error('its answer is too long'))
          else chunks.push(chunk)
        })
        response.on('end', () => {
          const { statusCode: status = 0, headers } = response
          resolve({ status, body: Buffer.concat(chunks), location: headers.location })
        })
        response.on('error', reject)
      },
    )
    request.on('timeout', () => request.destroy(new Error(`no answer within ${IDLE_TIMEOUT_MS / 1000} s`)))
    request.on('error', reject)
    request.on('socket', (socket) =>
      socket.once('connect', () => {
        if (request.path.includes('?')) request.path += ownAddress(socket.localAddress)
        request.end()
      }),
    )
  })
}

/** From where this machine asks (BEP 7), for a tracker that sees only its proxy. */
function ownAddress(from: string | undefined): string {
  const address = plainAddress(from ?? '')
  if (address === '' || isLoopback(address)) return ''
  return `&${address.includes(':') ? 'ipv6' : 'ipv4'}=${encodeURIComponent(address)}`
}

function trackerError(url: string, why: string): MurderError {
  // The path of the URL may hold the deploy's secret: only the host is named.
  return new MurderError('TRACKER', `The tracker at ${new URL(url).host} did not help: ${why}`, {
    cure: 'check that it runs and that no firewall is between',
  })
}
