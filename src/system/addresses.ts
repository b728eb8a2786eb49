import { BlockList, isIP } from 'node:net'
import { networkInterfaces } from 'node:os'

/** A host as sockets take it, without brackets, and its port. */
export interface Endpoint {
  host: string
  port: number
}

/** `host:port`, with brackets around an IPv6 address. */
export function formatAddress(host: string, port: number): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]:${port}` : `${host}:${port}`
}

/** The reverse of `formatAddress`; undefined for anything that is not a host with a port. */
export function parseAddress(address: string): Endpoint | undefined {
  const match = /^(?:\[([\da-fA-F:.]+(?:%[^\s\]]+)?)\]|([^\s:/@?#[\]]+)):(\d{1,5})$/.exec(address)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  return host !== undefined && port > 0 && port < 65536 ? { host, port } : undefined
}

/** Where the server of an HTTP URL listens. */
export function endpointOf(url: string): Endpoint {
  const { protocol, hostname, port } = new URL(url)
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port) || (protocol === 'https:' ? 443 : 80),
  }
}

/** Turns an IPv4 address that a dual-stack socket shows as `::ffff:10.0.0.1` into `10.0.0.1`. Others stay as they are. */
export function unmapped(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '')
}

/** An address as other machines may write it: `unmapped`, and without the zone, which has a meaning on one machine only. */
export function plainAddress(address: string): string {
  return unmapped(address).replace(/%.*$/, '')
}

export function isLoopback(address: string): boolean {
  return address === '::1' || /^127\.\d+\.\d+\.\d+$/.test(address)
}

/** Whether an address is among these addresses and networks (`10.0.0.0/8`). Entries that are neither are ignored. */
export function addressMatcher(entries: readonly string[]): (address: string) => boolean {
  const list = new BlockList()
  for (const entry of entries) {
    const [address = '', length] = entry.split('/')
    const family = familyOf(address)
    if (family === undefined) continue
    const most = family === 'ipv6' ? 128 : 32
    const bits = length === undefined ? most : Number(length)
    if (Number.isInteger(bits) && bits >= 0 && bits <= most) list.addSubnet(address, bits, family)
  }
  return (address) => {
    const family = familyOf(address)
    return family !== undefined && list.check(address, family)
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' | undefined {
  const version = isIP(address)
  return version === 0 ? undefined : version === 6 ? 'ipv6' : 'ipv4'
}

/** This machine's addresses that other machines can use, IPv4 first. */
export function ownAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, scopeid }) => !internal && !scopeid)
    .sort((a, b) => a.family.localeCompare(b.family))
    .map(({ address }) => address)
}
