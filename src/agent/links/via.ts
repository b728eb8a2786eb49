import type { Socket } from 'node:net'
import { formatAddress } from '../../system/addresses.ts'
import { lastWords } from '../../text/last-words.ts'
import type { PeerLinks } from '../../torrent/peers/dialing/peer-links.ts'
import { parseVia, type Via } from '../options/via-option.ts'
import { OneSocket } from './one-socket.ts'

/** Connections to peers over SSH, with the user's keys and configuration. `warn` is told once why a connection cannot be used. */
export class ViaLinks implements PeerLinks {
  readonly addresses: readonly string[]
  readonly #vias: ReadonlyMap<string, Via>
  readonly #warn: (message: string) => void
  readonly #warned = new Set<string>()

  constructor(texts: readonly string[], warn: (message: string) => void) {
    this.#vias = new Map(
      texts.flatMap((text) => {
        const via = parseVia(text)
        return via ? [[formatAddress(via.host, via.peerPort), via] as const] : []
      }),
    )
    this.addresses = [...this.#vias.keys()]
    this.#warn = warn
  }

  async connect(address: string): Promise<Socket> {
    const { user, host, port, peerPort } = this.#vias.get(address) as Via
    const options = ['BatchMode=yes', 'ServerAliveInterval=10', 'LogLevel=ERROR'].flatMap((option) => [
      '-o',
      option,
    ])
    const login = [
      ...(user === undefined ? [] : ['-l', user]),
      ...(port === undefined ? [] : ['-p', String(port)]),
    ]
    const words = ['ssh', ...options, ...login, '-W', `127.0.0.1:${peerPort}`, '--', host]
    const ssh = new OneSocket(words, '/')
    ssh.ended.then(() => this.#explain(host, whyNot(ssh.said, peerPort)))
    return ssh.socket
  }

  /** Peers that come over SSH connect to the port from this machine's sshd. */
  takeWith(): void {}

  #explain(host: string, why: string | undefined): void {
    if (why === undefined || this.#warned.has(why)) return
    this.#warned.add(why)
    this.#warn(`over SSH ${host} cannot be reached: ${why}`)
  }
}

/** ssh itself does not say which of the two it is. */
const whyNot = (said: string, peerPort: number): string | undefined =>
  said.includes('stdio forwarding failed')
    ? `no peer listens on port ${peerPort} there, or its sshd forwards nothing (AllowTcpForwarding)`
    : lastWords(said)
