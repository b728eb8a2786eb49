import { MurderError } from '../../errors.ts'
import { parseAddress } from '../../system/addresses.ts'
import { announceUrl, isTracker } from '../../torrent/tracker/announce-url.ts'

const usage = (message: string) => new MurderError('USAGE', message, { exitCode: 2 })

const SCALE: Record<string, number> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 }
const SECONDS: Record<string, number> = { '': 1, s: 1, m: 60, h: 3600 }

/** Bytes, or bytes a second: `500K`, `1.5M`, `2G` (of 1024 each). */
export function parseBytes(flag: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([KMG]?)(?:i?B)?(?:\/s)?$/i.exec(text)
  const scale = SCALE[match?.[2]?.toUpperCase() ?? '-']
  if (!match || scale === undefined) {
    throw usage(`${flag} is '${text}', which is not a number of bytes such as 500K, 10M or 1G`)
  }
  return Math.round(Number(match[1]) * scale)
}

/** Seconds: `30`, `30s`, `5m`, `1h`. */
export function parseSeconds(flag: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([smh]?)$/.exec(text)
  const seconds = Number(match?.[1]) * (SECONDS[match?.[2] ?? '-'] ?? Number.NaN)
  // setTimeout takes 2^31 - 1 ms at most.
  if (!(seconds <= 2_000_000))
    throw usage(`${flag} is '${text}', which is not a time such as 30, 30s, 5m or 1h`)
  return seconds
}

export function parseCount(flag: string, text: string): number {
  if (!/^\d{1,7}$/.test(text)) throw usage(`${flag} is '${text}', which is not a whole number`)
  return Number(text)
}

export function parsePort(flag: string, text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (!(port <= 65_535)) throw usage(`${flag} is '${text}', which is not a port (0 to 65535)`)
  return port
}

/** `6881-6999`. */
export function parsePorts(flag: string, text: string): [number, number] {
  const [first, last, ...more] = text.split('-')
  if (!first || !last || more.length > 0)
    throw usage(`${flag} is '${text}', which is not a range such as 6881-6999`)
  const range: [number, number] = [parsePort(flag, first), parsePort(flag, last)]
  if (range[0] > range[1]) throw usage(`${flag} is '${text}', whose first port is above its last`)
  return range
}

/** `host:port`, `[v6]:port`. */
export function parseHostPort(flag: string, text: string): { host: string; port: number } {
  const address = parseAddress(text)
  if (!address) {
    throw usage(`${flag} is '${text}', which is not host:port, such as 10.0.0.5:8998 or [fd00::5]:8998`)
  }
  return address
}

/** `9100`, on this machine's loopback, or `10.0.0.5:9100`. */
export function parseMetrics(flag: string, text: string): { host: string; port: number } {
  if (!/^\d+$/.test(text)) return parseHostPort(flag, text)
  const port = parsePort(flag, text)
  if (port === 0) throw usage(`${flag} is 0: nobody would know the port`)
  return { host: '127.0.0.1', port }
}

/** A tracker as people write it: an announce URL, or host:port. */
export function parseTracker(flag: string, text: string): string {
  if (!text.includes('://')) {
    const { host, port } = parseHostPort(flag, text)
    return announceUrl(host, port)
  }
  if (!isTracker(text)) {
    throw usage(
      `${flag} is '${text}', which is not the address of an HTTP tracker: http://host:8998/announce or host:8998`,
    )
  }
  return text
}
