import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { isIP } from 'node:net'
import bencode from 'bencode'
import { formatAddress, isLoopback, plainAddress } from '../../system/addresses.ts'
import { decodeUntrusted } from '../encoding/bencode.ts'
import { encodeCompact } from '../encoding/compact.ts'
import { PARTNERS_KEY, PARTNERS6_KEY } from './announce.ts'
import { amend } from './answers.ts'

/** Carries the address that a peer announces to the tracker module's filter. Removed when it comes from outside. */
const HEADER = 'x-announced-address'

/** An announce as the tracker module parses it; only the fields used here. */
export interface AnnounceParams {
  ip: string
  addr: string
  port: number
  /** Hex. */
  info_hash: string
  /** Hex. */
  peer_id: string
  event: 'started' | 'update' | 'completed' | 'stopped'
  left: number
  uploaded?: string
  headers: Record<string, string | string[] | undefined>
  /** '1' when an agent asks where it is. */
  locate?: string
  /** The name of its site, when an agent asks whom to connect to. */
  site?: string
  httpReq: IncomingMessage
  httpRes: ServerResponse
}

/**
 * Makes the tracker give out addresses at which peers can be reached: the address that a peer announces (`ip`, BEP 3), or
 * else the one that the tracker sees. A peer that announces over loopback runs on the tracker's own machine: other machines
 * get the address at which they reached the tracker. If the peer comes through a proxy there, they get the address that the proxy
 * has seen. If the proxy does not say it, an open tracker uses the one that the peer gives (BEP 7).
 */
export function correctAddresses(http: Server, isOpen: boolean): void {
  http.prependListener('request', (request, response) => {
    const address = announcedAddress(request, isOpen)
    delete request.headers[HEADER]
    if (address) request.headers[HEADER] = address
    if (!isLoopback(callerOf(request))) tellWhereReached(request, response)
  })
}

/** The address of the peer that others are told, where it is not the caller's. */
export function announcedAddress(request: IncomingMessage, isOpen: boolean): string | undefined {
  const isHere = isLoopback(callerOf(request))
  const { url = '' } = request
  return (
    addressIn(url, ['ip']) ??
    (isHere ? forwardedFor(request) : undefined) ??
    (isHere && isOpen ? addressIn(url, ['ipv4', 'ipv6']) : undefined)
  )
}

/** The address from which a request comes. */
export const callerOf = ({ socket }: IncomingMessage): string => plainAddress(socket.remoteAddress ?? '')

/** For the module's `filter`, which is called before the module records the peer. */
export function useAnnouncedAddress(params: AnnounceParams): void {
  const address = params.headers[HEADER]
  if (typeof address !== 'string') return
  params.ip = address
  params.addr = formatAddress(address, params.port)
}

/** What the first of these keys of a query says. */
function addressIn(url: string, keys: readonly string[]): string | undefined {
  const words = url.slice(url.indexOf('?') + 1).split('&')
  const word = words.find((part) => keys.includes(part.slice(0, part.indexOf('='))))
  try {
    const address = plainAddress(decodeURIComponent(word?.slice(word.indexOf('=') + 1) ?? ''))
    return isIP(address) > 0 && !isLoopback(address) ? address : undefined
  } catch {
    return undefined
  }
}

/** The address of a peer behind a reverse proxy on this machine. From other machines the header could be forged. */
function forwardedFor({ headers }: IncomingMessage): string | undefined {
  const address = [headers['x-forwarded-for']].flat().join(',').split(',').at(-1)?.trim() ?? ''
  return isIP(address) > 0 && !isLoopback(address) ? address : undefined
}

function tellWhereReached(request: IncomingMessage, response: ServerResponse): void {
  const here = plainAddress(request.socket.localAddress ?? '')
  amend(response, (body) => withReached(body, here))
}

/** Lists of addresses in an answer: for IPv4, and for IPv6. */
const COMPACT_KEYS = [
  ['peers', 'peers6'],
  [PARTNERS_KEY, PARTNERS6_KEY],
] as const

/** A peer of an answer that is not compact (BEP 3). */
function listedPeer(peer: { ip?: unknown }, here: string): object {
  const isHere = peer.ip instanceof Uint8Array && isLoopback(plainAddress(Buffer.from(peer.ip).toString()))
  return isHere ? { ...peer, ip: here } : peer
}

/** An answer with its loopback addresses replaced by `here`. Any other body stays as it is. */
function withReached(body: Uint8Array, here: string): Uint8Array {
  let answer: Record<string, unknown>
  try {
    answer = decodeUntrusted(body) as Record<string, unknown>
  } catch {
    return body // not an answer to an announce
  }
  const { peers } = answer
  if (Array.isArray(peers)) {
    const listed = peers.map((peer) => listedPeer(peer, here))
    return Buffer.from(bencode.encode({ ...answer, peers: listed } as never))
  }
  const changes = COMPACT_KEYS.map((keys) => compactReached(answer, keys, here))
  if (changes.every((change) => change === undefined)) return body
  return Buffer.from(bencode.encode(Object.assign({ ...answer }, ...changes) as never))
}

/** The same for one list of addresses, which an answer has for IPv4 and for IPv6; undefined when none is a loopback address. */
function compactReached(
  answer: Record<string, unknown>,
  [key, key6]: readonly [string, string],
  here: string,
): Record<string, Uint8Array> | undefined {
  const { [key]: peers, [key6]: peers6 } = answer
  if (!(peers instanceof Uint8Array)) return undefined
  const kept: Uint8Array[] = []
  const moved: Uint8Array[] = []
  const six = here.includes(':')
  for (let at = 0; at + 6 <= peers.length; at += 6) {
    const peer = Buffer.from(peers.subarray(at, at + 6))
    if (peer[0] === 127) moved.push(encodeCompact([formatAddress(here, peer.readUInt16BE(4))], six ? 6 : 4))
    else kept.push(peer)
  }
  if (moved.length === 0) return undefined
  const known = peers6 instanceof Uint8Array ? [peers6] : []
  return {
    [key]: Buffer.concat(six ? kept : [...kept, ...moved]),
    ...(six ? { [key6]: Buffer.concat([...known, ...moved]) } : {}),
  }
}
