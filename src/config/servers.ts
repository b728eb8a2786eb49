import { isIPv6 } from 'node:net'
import { formatServerName, parseServerName } from '../text/server-name.ts'

/** The parts of an entry of shipit's `servers` that tell servers apart. */
interface Parts {
  user: string
  host: string
  port: string | undefined
}

/** Reads an entry: `user@host:port` with user and port optional, or an object. Without a user it is ssh-pool's `deploy`. */
export function partsOf(server: unknown): Parts | undefined {
  if (typeof server === 'string') {
    const name = parseServerName(server)
    return name && { ...name, user: name.user ?? 'deploy' }
  }
  const { host, user = 'deploy', port } = (server ?? {}) as Record<string, unknown>
  if (typeof host !== 'string') return undefined
  return { user: String(user), host, port: port === undefined ? undefined : String(port) }
}

export const isLabel = (text: string): boolean => /^[^\s\p{Cc}\p{Bidi_Control}]{1,100}$/u.test(text)

/** The name that an entry gives itself. */
function labelOf(server: unknown): string | undefined {
  const label = typeof server === 'object' && server !== null ? Reflect.get(server, 'label') : undefined
  return typeof label === 'string' && isLabel(label) ? label : undefined
}

function namesOf(server: unknown): string[] {
  const parts = partsOf(server)
  if (parts === undefined) return typeof server === 'string' ? [server] : []
  return [...new Set([labelOf(server) ?? [], ...addressesOf(parts)].flat())]
}

function addressesOf(parts: Parts): string[] {
  const { user, host, port = '22' } = parts
  const bare = [host, `${user}@${host}`]
  const bracketed = isIPv6(host) ? [`[${host}]`, `${user}@[${host}]`] : bare
  return [...bare, ...bracketed, ...bracketed.map((name) => `${name}:${port}`)]
}

/** Shipit's `servers` as a list: it may also be a single entry. */
export function serverList(servers: unknown): unknown[] {
  if (servers === undefined || servers === null) return []
  return Array.isArray(servers) ? servers : [servers]
}

/** Indices in `servers` of the entries with this name: label, host, user@host, host:port or user@host:port. */
export function findServers(name: string, servers: unknown): number[] {
  return serverList(servers).flatMap((server, index) => (namesOf(server).includes(name) ? [index] : []))
}

/** Whether a text names a server that need not be in `servers`: `user@host` or `user@host:port`. */
export const isServer = (text: string): boolean =>
  isServerName(text) && !text.includes('/') && parseServerName(text)?.user !== undefined

/** The same, also without a user. */
export function isServerName(text: string): boolean {
  const name = parseServerName(text)
  return name !== undefined && !/\s/.test(text) && /^\d*$/.test(name.port ?? '')
}

/** Short names of the entries for messages, each different from the others. */
export function serverNames(servers: unknown): string[] {
  return serverList(servers).map((server) => {
    if (typeof server === 'string') return server
    const parts = partsOf(server)
    if (parts === undefined) return String(server)
    const label = labelOf(server)
    if (label !== undefined) return label
    return formatServerName(parts.user, parts.host, parts.port)
  })
}
