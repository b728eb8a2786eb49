import { PassThrough } from 'node:stream'
import type { AgentEvent, ReceiveOrder } from '../agent/contract.ts'
import { parseEvent } from '../remote/events.ts'
import type { Outcome } from '../remote/fleet.ts'
import type { Server } from '../remote/server.ts'
import { command } from '../remote/shell.ts'
import type { Context } from './context.ts'
import { agentPath } from './paths.ts'

export interface Plan {
  order: ReceiveOrder
  /** What it throws ends the receiver and becomes its failure. */
  onEvent: (event: AgentEvent) => void
}

/** Milliseconds that a peer may take to end when it is told so. */
const PATIENCE = 5000

/**
 * The agent that receives on one server, over one SSH command that stays open: after the release has landed the server
 * shares on, until it is told to end or let go of.
 */
export class Receiver {
  readonly server: Server
  /** Undefined when all that was ordered is done; else how the command ended before. */
  readonly landed: Promise<Outcome | undefined>
  readonly #ended: Promise<Outcome>
  readonly #release = new AbortController()
  #input = new PassThrough()

  constructor(context: Context, server: Server, { order, onEvent }: Plan) {
    this.server = server
    const last: AgentEvent['event'] = order.unpack || order.place ? 'unpacked' : 'done'
    let land = () => {}
    const landed = new Promise<undefined>((resolve) => {
      land = () => resolve(undefined)
    })
    this.#ended = this.#run(context, order, (event) => {
      onEvent(event)
      if (event.event === last) land()
    })
    this.landed = Promise.race([landed, this.#ended])
  }

  /** Ends the peer and what it has of this transfer, but the release. Whether it said that it did. */
  async end(): Promise<boolean> {
    this.#input.end('end\n')
    const timer = setTimeout(() => this.letGo(), PATIENCE)
    const { ok } = await this.#ended
    clearTimeout(timer)
    return ok
  }

  /** Ends the connection; the peer lingers without it. */
  letGo(): void {
    this.#release.abort()
  }

  async #run(
    { fleet, settings, signal }: Context,
    order: ReceiveOrder,
    take: (event: AgentEvent) => void,
  ): Promise<Outcome> {
    const plan = () => ({
      script: `exec ${command(settings.node, agentPath(settings), 'receive')}`,
      stdin: () => {
        this.#input = new PassThrough()
        this.#input.write(`${JSON.stringify(order)}\n`)
        return this.#input
      },
      onLine: (line: string) => {
        const event = parseEvent(line)
        if (event) take(event)
      },
    })
    const [outcome] = await fleet.run('transfer', plan, {
      servers: [this.server],
      signal: AbortSignal.any([signal, this.#release.signal]),
      // The agent has its own stall timeout, and says something every two seconds: this one is for a dead server.
      stallTimeout: settings.timeouts.stall > 0 ? settings.timeouts.stall + 15 : 0,
    })
    if (!outcome) throw new Error(`no outcome of ${this.server.label}`)
    return outcome
  }
}
