import { timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import ssh2, { type AuthContext, type Connection } from 'ssh2'
import type { OwnPath } from './own-path.ts'
import { serveSession } from './session.ts'

export interface EmbeddedServer {
  host: string
  port: number
  user: string
  /** Home directory: where commands run. */
  home: string
  /** Logins so far: a shared connection counts once. */
  logins(): number
  /** Connections that are open now. */
  connections(): number
  /** Breaks all connections; new ones are welcome. */
  disconnect(): void
  stop(): Promise<void>
}

export interface EmbeddedOptions {
  host: string
  /** 0 lets the system choose. */
  port: number
  user: string
  home: string
  /** See `OwnPath`. */
  alias?: OwnPath
  hostKey: string
  /** The public key that may log in: type and base64. */
  authorizedKey: string
}

/** An SSH server inside this process: one user, one key, commands only. Rejects as `listen` does (EADDRNOTAVAIL …). */
export async function startServer(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const { host, user, home, alias } = options
  const allowed = ssh2.utils.parseKey(options.authorizedKey)
  if (allowed instanceof Error) throw allowed
  let logins = 0
  let address: AddressInfo
  const ssh = new ssh2.Server({ hostKeys: [options.hostKey] })
  ssh.on('connection', (client, info) => {
    client.on('error', () => {}) // A client that left in its own way.
    client.on('authentication', (attempt) => authenticate(attempt, user, allowed))
    client.on('ready', () => {
      logins++
      const connection = `${info.ip} ${info.port} ${address.address} ${address.port}`
      client.on('session', (accept) => serveSession(accept(), { home, user, alias, connection }))
      answerRequests(client)
    })
  })
  const sockets = new Set<Socket>()
  const listener = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    ssh.injectSocket(socket)
  })
  const disconnect = () => {
    for (const socket of sockets) socket.destroy()
  }
  listener.listen(options.port, host)
  await once(listener, 'listening')
  address = listener.address() as AddressInfo
  return {
    host,
    port: address.port,
    user,
    home,
    logins: () => logins,
    connections: () => sockets.size,
    disconnect,
    async stop() {
      const closed = once(listener, 'close')
      listener.close()
      disconnect()
      await closed
    },
  }
}

/** OpenSSH asks now and then whether we are alive; any answer will do. */
function answerRequests(client: Connection): void {
  client.on('request', (_accept, reject) => reject?.())
}

function authenticate(attempt: AuthContext, user: string, allowed: ssh2.ParsedKey): void {
  if (attempt.method !== 'publickey' || attempt.username !== user) return attempt.reject(['publickey'])
  const { key, signature, blob, hashAlgo } = attempt
  const known = allowed.getPublicSSH()
  if (key.algo !== allowed.type || key.data.length !== known.length || !timingSafeEqual(key.data, known)) {
    return attempt.reject(['publickey'])
  }
  // Without a signature the client only asks whether the key would do.
  if (signature && (!blob || allowed.verify(blob, signature, hashAlgo) !== true))
    return attempt.reject(['publickey'])
  attempt.accept()
}
