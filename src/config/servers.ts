/** The parts of an entry of shipit's `servers` that tell servers apart. */
interface Parts {
  user: string
  host: string
  port: string | undefined
}

/** Reads an entry as ssh-pool does: `user@host:port` with user and port optional, or an object. */
export function partsOf(server: unknown): Parts | undefined {
  if (typeof server === 'string') {
    const [, user = 'deploy', host, port] = /^(?:([^@:]+)@)?([^@:]+)(?::(.+))?$/.exec(server) ?? []
    return host === undefined ? undefined : { user, host, port }
  }
  const { host, user = 'deploy', port } = (server ?? {}) as Record<string, unknown>
  if (typeof host !== 'string') return undefined
  return { user: String(user), host, port: port === undefined ? undefined : String(port) }
}

function namesOf(server: unknown): string[] {
  const parts = partsOf(server)
  if (parts === undefined) return typeof server === 'string' ? [server] : []
  const bare = [parts.host, `${parts.user}@${parts.host}`]
  const port = parts.port ?? '22'
  return [...bare, ...bare.map((name) => `${name}:${port}`)]
}

/** Shipit's `servers` as a list: it may also be a single entry. */
function serverList(servers: unknown): unknown[] {
  if (servers === undefined || servers === null) return []
  return Array.isArray(servers) ? servers : [servers]
}

/** Indices in `servers` of the entries with this name: host, user@host, host:port or user@host:port. */
export function findServers(name: string, servers: unknown): number[] {
  return serverList(servers).flatMap((server, index) => (namesOf(server).includes(name) ? [index] : []))
}

/** Whether a text names a server that need not be in `servers`: `user@host` or `user@host:port`. */
export const isServer = (text: string): boolean => /^[^\s/@:]+@[^\s/@:]+(:\d+)?$/.test(text)

/** Short names of the entries, for messages, which tell each from the others. */
export function serverNames(servers: unknown): string[] {
  return serverList(servers).map((server) => {
    if (typeof server === 'string') return server
    const parts = partsOf(server)
    if (parts === undefined) return String(server)
    return `${parts.user}@${parts.host}${parts.port === undefined ? '' : `:${parts.port}`}`
  })
}
