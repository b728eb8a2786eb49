import { PassThrough } from 'node:stream'
import type { Outcome } from '../../fleet/fleet.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import type { AgentEvent } from '../../protocol/events.ts'
import { parseEvent } from '../../protocol/events.ts'
import type { ReceiveOrder } from '../../protocol/order.ts'
import { command } from '../../text/shell-quote.ts'
import { agentPath } from '../context/agent-program.ts'
import type { Context } from '../context/context.ts'
import { arrival, compressedAgent } from '../hosts/upload-agent.ts'
import { GRACE } from './patience.ts'

export interface Plan {
  order: ReceiveOrder
  /** What it throws ends the receiver and becomes its failure. */
  onEvent: (event: AgentEvent) => void
}

/** Milliseconds between two signs of life for an agent that waits for its order: it gives up after six of them. */
const SIGN = 10_000
/** Milliseconds that a peer may take to end when it is told so. */
const PATIENCE = 5000

/**
 * The agent that receives on one server, over one SSH command that stays open: it is started early, gets its order when
 * there is one, and shares on after the release has landed, until it is told to end or let go of.
 */
export class Receiver {
  readonly server: Server
  readonly #ended: Promise<Outcome>
  readonly #release = new AbortController()
  #input = new PassThrough()
  #plan: Plan | undefined
  #start = () => {}
  #land = () => {}
  /** Undefined when the agent runs; else how the command ended before. */
  readonly started: Promise<Outcome | undefined>

  /** `bringAgent`: it is not there yet. */
  constructor(context: Context, server: Server, { bringAgent = false } = {}) {
    this.server = server
    const started = new Promise<undefined>((resolve) => {
      this.#start = () => resolve(undefined)
    })
    this.#ended = this.#run(context, bringAgent)
    this.started = Promise.race([started, this.#ended])
  }

  /** Undefined when all that was ordered is done; else how the command ended before. */
  carryOut(plan: Plan): Promise<Outcome | undefined> {
    const landed = new Promise<undefined>((resolve) => {
      this.#land = () => resolve(undefined)
    })
    this.#plan = plan
    this.#sendOrder()
    return Promise.race([landed, this.#ended])
  }

  /** Ends the peer and what it has of this transfer, but the release. Whether it said that it did. */
  async end(): Promise<boolean> {
    this.#input.end('end\n')
    const timer = setTimeout(() => this.letGo(), PATIENCE)
    const { ok } = await this.#ended
    clearTimeout(timer)
    return ok
  }

  /** Ends the connection; the peer lingers without it, and an agent without an order ends. */
  letGo(): void {
    this.#release.abort()
  }

  async #run(context: Context, bringAgent: boolean): Promise<Outcome> {
    const waiting = setInterval(() => {
      if (!this.#plan) this.#input.write('\n')
    }, SIGN)
    try {
      return await this.#session(context, bringAgent)
    } finally {
      clearInterval(waiting)
    }
  }

  #session({ fleet, settings, signal }: Context, bringAgent: boolean): Promise<Outcome> {
    const session = {
      script: bringAgent
        ? arrival(settings, 'receive')
        : `exec ${command(settings.node, agentPath(settings), 'receive')}`,
      stdin: () => {
        this.#input = new PassThrough()
        if (bringAgent) this.#input.write(compressedAgent())
        this.#sendOrder()
        return this.#input
      },
      onLine: (line: string) => this.#take(line),
    }
    return fleet.runOn(this.server, 'transfer', session, {
      signal: AbortSignal.any([signal, this.#release.signal]),
      // The agent has its own stall timeout, and says something every two seconds: this one is for a dead server.
      stallTimeout: settings.timeouts.stall > 0 ? settings.timeouts.stall + GRACE : 0,
    })
  }

  #sendOrder(): void {
    if (this.#plan) this.#input.write(`${JSON.stringify(this.#plan.order)}\n`)
  }

  #take(line: string): void {
    const event = parseEvent(line)
    if (event) this.#start()
    if (!event || !this.#plan) return
    const { order, onEvent } = this.#plan
    onEvent(event)
    if (event.event === (order.unpack || order.place ? 'unpacked' : 'done')) this.#land()
  }
}
