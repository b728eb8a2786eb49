import { isIP } from 'node:net'
import { formatAddress, parseAddress } from '../../system/addresses.ts'

/** Bytes of an IP address by its version. */
const lengths = { 4: 4, 6: 16 } as const

/** Addresses of one IP version in compact form (BEP 23, BEP 7). Addresses of the other version and names are left out. */
export function encodeCompact(addresses: readonly string[], version: 4 | 6): Buffer {
  const parts = addresses.flatMap((address) => {
    const { host = '', port = 0 } = parseAddress(address) ?? {}
    if (isIP(host) !== version) return []
    const bytes = Buffer.alloc(lengths[version] + 2)
    bytes.set(version === 4 ? host.split('.').map(Number) : bytesOf(host))
    bytes.writeUInt16BE(port, lengths[version])
    return [bytes]
  })
  return Buffer.concat(parts)
}

/** `host:port` of each entry. Incomplete entries and those without a port are left out. */
export function decodeCompact(bytes: Uint8Array, version: 4 | 6): string[] {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const length = lengths[version]
  const addresses: string[] = []
  for (let at = 0; at + length + 2 <= all.length; at += length + 2) {
    const port = all.readUInt16BE(at + length)
    const ip = all.subarray(at, at + length)
    if (port > 0) addresses.push(formatAddress(version === 4 ? ip.join('.') : formatIPv6(ip), port))
  }
  return addresses
}

/** In the short form that sockets report, so that the same address is always the same text. */
function formatIPv6(bytes: Buffer): string {
  const groups: string[] = []
  for (let at = 0; at < 16; at += 2) groups.push(bytes.readUInt16BE(at).toString(16))
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}

function bytesOf(ipv6: string): number[] {
  // The URL standard's form has no dotted part and no zone, and at most one gap.
  const short = new URL(`http://[${ipv6.replace(/%.*$/, '')}]`).hostname.slice(1, -1)
  const [head = [], tail] = short.split('::').map((side) => side.split(':').filter(Boolean))
  const gap = tail ? Array(8 - head.length - tail.length).fill('0') : []
  return [...head, ...gap, ...(tail ?? [])].flatMap((group) => {
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 0xff]
  })
}
