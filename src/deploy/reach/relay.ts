import { connect } from 'node:net'
import { PassThrough } from 'node:stream'
import { explain, MurderError } from '../../errors.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import { type RelayPorts, Tunnel } from '../../protocol/tunnel/tunnel.ts'
import { pause } from '../../system/backoff.ts'
import type { TaskContext } from '../context/context.ts'
import { agentPath } from '../paths/agent-program.ts'
import { placesOf } from '../paths/places.ts'
import { setNodeOf } from '../paths/server-node.ts'
import { nodeScript } from '../scripts/node/node-script.ts'

/** Signs of life. The relay ends when four are missing. A session ends when nothing comes back for this long. */
const ALIVE_MS = 5000
const DEAD_S = 30
/** Pause before a relay whose connection broke is restarted. */
const RESTART_PAUSE_S = 1

/** Where a tunnel may end: only on the ports of this deploy's tracker and seeder, on this machine. */
export type RelayTargets = Partial<RelayPorts>

/**
 * Carries connections of one server's peer to tracker and seeder here, over a session of the server's SSH connection. When that
 * breaks, a new one takes over, on the same ports of the server.
 */
export class Relay {
  readonly #context: TaskContext
  readonly #server: Server
  readonly #stop = new AbortController()
  /** The ports on the server's loopback; undefined when it could not be started. */
  readonly ready: Promise<RelayPorts | undefined>
  readonly #ended: Promise<void>
  #ports: RelayPorts | undefined
  #targets: RelayTargets = {}
  #announce = (_: RelayPorts | undefined) => {}

  constructor(context: TaskContext, server: Server) {
    this.#context = context
    this.#server = server
    this.ready = new Promise((resolve) => {
      this.#announce = resolve
    })
    this.#ended = this.#run()
  }

  /** Opens the tunnel to these targets. Before that, and to any other target, nothing comes through. */
  leadTo(targets: RelayTargets): void {
    this.#targets = targets
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#ended
  }

  async #run(): Promise<void> {
    const signal = AbortSignal.any([this.#stop.signal, this.#context.signal])
    const board = this.#context.display.board()
    for (let attempt = 0; !signal.aborted; attempt++) {
      const error = await this.#session(signal)
      if (signal.aborted) break
      if (!this.#ports) {
        board.log(`${this.#server.label}: no way through SSH: ${explain(error)}`, this.#server.label)
        break
      }
      if (attempt === 0)
        board.log(`${this.#server.label}: the way through SSH broke; it is made again`, this.#server.label)
      await pause(RESTART_PAUSE_S, signal).catch(() => {})
    }
    this.#announce(undefined)
  }

  /** Returns why it ended. */
  async #session(signal: AbortSignal): Promise<MurderError> {
    const { fleet } = this.#context
    const { tracker = 0, seeder = 0 } = this.#ports ?? {}
    const words = [agentPath(placesOf(this.#context, this.#server)), 'relay', String(tracker), String(seeder)]
    const script = nodeScript(setNodeOf(this.#context, this.#server), ...words)
    let input = new PassThrough()
    let tunnel: Tunnel | undefined
    const stdin = () => {
      tunnel?.close()
      input = new PassThrough()
      tunnel = this.#tunnel(input)
      return input
    }
    const alive = setInterval(() => tunnel?.sayAlive(), ALIVE_MS)
    try {
      const session = { script, stdin, onBytes: (chunk: Buffer) => tunnel?.take(chunk) }
      const outcome = await fleet.runOn(this.#server, 'relay', session, { signal, stallTimeoutS: DEAD_S })
      return outcome.ok ? new MurderError('AGENT_ENDED', 'the relay ended early') : outcome.error
    } finally {
      clearInterval(alive)
      tunnel?.close()
    }
  }

  #tunnel(input: PassThrough): Tunnel {
    return new Tunnel({
      send: (frame) => void input.write(frame),
      ready: (ports) => {
        this.#ports ??= ports
        this.#announce(this.#ports)
      },
      accept: (target) => {
        const port = this.#targets[target]
        return port === undefined
          ? undefined
          : connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true })
      },
    })
  }
}
