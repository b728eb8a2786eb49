import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { isIP } from 'node:net'
import bencode from 'bencode'
import { decodeUntrusted } from '../encoding/bencode.ts'

/** Carries a peer's own word on its address to where the tracker's module decides on it. Never taken from outside. */
const HEADER = 'x-announced-address'

/** What the module knows of an announce, as far as it matters here. */
export interface AnnounceParams {
  ip: string
  addr: string
  port: number
  headers: Record<string, string | string[] | undefined>
}

/**
 * Peers are found at the address that they announce (`ip`, BEP 3), else at the one that the tracker sees. One that
 * announces over loopback runs on the tracker's own machine: others are told the address at which they reach that.
 */
export function correctAddresses(http: Server): void {
  http.prependListener('request', (request, response) => {
    delete request.headers[HEADER]
    const announced = announcedAddress(request.url ?? '')
    if (announced) request.headers[HEADER] = announced
    if (!isLoopback(plain(request.socket.remoteAddress))) tellWhereReached(request, response)
  })
}

/** For the module's `filter`, which is called before it takes a peer in. */
export function useAnnouncedAddress(params: AnnounceParams): void {
  const address = params.headers[HEADER]
  if (typeof address !== 'string') return
  params.ip = address
  params.addr = `${address.includes(':') ? `[${address}]` : address}:${params.port}`
}

function announcedAddress(url: string): string | undefined {
  const query = url.slice(url.indexOf('?') + 1)
  const word = query.split('&').find((part) => part.startsWith('ip='))
  try {
    const address = decodeURIComponent(word?.slice(3) ?? '')
    return isIP(address) > 0 && !isLoopback(address) ? address : undefined
  } catch {
    return undefined
  }
}

function tellWhereReached(request: IncomingMessage, response: ServerResponse): void {
  const here = plain(request.socket.localAddress)
  const end = response.end.bind(response) as (body?: unknown) => ServerResponse
  response.end = ((body?: unknown) =>
    end(body instanceof Uint8Array ? withReached(body, here) : body)) as ServerResponse['end']
}

/** An answer with the loopback addresses in it replaced; any other body as it is. */
function withReached(body: Uint8Array, here: string): Uint8Array {
  let answer: Record<string, unknown>
  try {
    answer = decodeUntrusted(body) as Record<string, unknown>
  } catch {
    return body // no answer to an announce
  }
  const { peers } = answer
  if (!(peers instanceof Uint8Array)) return body
  const kept: Uint8Array[] = []
  const moved: Uint8Array[] = []
  for (let at = 0; at + 6 <= peers.length; at += 6) {
    const peer = peers.subarray(at, at + 6)
    if (peer[0] === 127) moved.push(Buffer.concat([packed(here), peer.subarray(4)]))
    else kept.push(peer)
  }
  if (moved.length === 0) return body
  const six = here.includes(':')
  const known = answer.peers6 instanceof Uint8Array ? [answer.peers6] : []
  return Buffer.from(
    bencode.encode({
      ...answer,
      peers: Buffer.concat(six ? kept : [...kept, ...moved]),
      ...(six ? { peers6: Buffer.concat([...known, ...moved]) } : {}),
    }),
  )
}

const plain = (address = '') => address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')

const isLoopback = (address: string) => address === '::1' || address.startsWith('127.')

/** The bytes of an IP address. */
function packed(address: string): Buffer {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail] = address.split('::')
  const groups = (text: string) =>
    text
      .split(':')
      .filter(Boolean)
      .map((group) => Number.parseInt(group, 16))
  const [before, after] = [groups(head), groups(tail ?? '')]
  const zeros = tail === undefined ? [] : Array<number>(8 - before.length - after.length).fill(0)
  const bytes = Buffer.alloc(16)
  for (const [index, group] of [...before, ...zeros, ...after].entries())
    bytes.writeUInt16BE(group, index * 2)
  return bytes
}
