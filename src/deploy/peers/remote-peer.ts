import { PassThrough } from 'node:stream'
import type { MurderError } from '../../errors.ts'
import type { Outcome } from '../../fleet/command.ts'
import { outOfTime } from '../../fleet/ssh/messages/diagnose.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import type { AgentEvent } from '../../protocol/events.ts'
import { parseEvent } from '../../protocol/events.ts'
import type { ReceiveOrder } from '../../protocol/order.ts'
import { type Question, questionLine } from '../../protocol/questions.ts'
import { AwakeTimer } from '../../system/awake-timer.ts'
import type { TaskContext } from '../context/context.ts'
import { agentInstaller, compressedAgent } from '../hosts/upload-agent.ts'
import { agentPath } from '../paths/agent-program.ts'
import { placesOf } from '../paths/places.ts'
import { setNodeOf } from '../paths/server-node.ts'
import { nodeScript } from '../scripts/node/node-script.ts'
import { STALL_GRACE_S } from '../timeouts.ts'

export interface Assignment {
  order: ReceiveOrder
  /** An error that this throws ends the peer and becomes its failure. */
  onEvent: (event: AgentEvent) => void
}

/** Time between two signs of life to an agent. Without them it cannot tell whether this process is suspended. */
const PULSE_MS = 2000
/** How long a peer may take to end when it is told so. */
const END_TIMEOUT_MS = 5000

/**
 * The agent that receives on one server, over one SSH command that stays open. It is started early, gets its order when there is
 * one, and shares on after it has unpacked, until it is told to end or let go of.
 */
export class RemotePeer {
  readonly server: Server
  readonly #ended: Promise<Outcome>
  readonly #release = new AbortController()
  #input = new PassThrough()
  #assignment: Assignment | undefined
  /** True while the agent is being installed. The installer may read too much from the pipe, so the order must wait. */
  #isArriving = false
  #start = () => {}
  #arrive = () => {}
  #gotNoOrder = false
  #startLimit: AwakeTimer | undefined
  /** Receives the answers of open questions, in order. */
  readonly #asked: ((answer: unknown) => void)[] = []
  /** Undefined once the agent runs; otherwise how the command ended before that. */
  readonly started: Promise<Outcome | undefined>

  /** `bringAgent`: the agent is not on the server yet. */
  constructor(context: TaskContext, server: Server, { bringAgent = false } = {}) {
    this.server = server
    const started = new Promise<undefined>((resolve) => {
      this.#start = () => resolve(undefined)
    })
    this.#ended = this.#run(context, bringAgent)
    this.started = Promise.race([started, this.#ended])
  }

  /** Whether the agent has given up waiting for an order: this process was suspended meanwhile. */
  get gotNoOrder(): boolean {
    return this.#gotNoOrder
  }

  /** It answers no more questions. */
  get hasOrder(): boolean {
    return this.#assignment !== undefined
  }

  /** Undefined once all that was ordered is done; otherwise how the command ended before that. */
  carryOut(assignment: Assignment): Promise<Outcome | undefined> {
    const arrived = new Promise<undefined>((resolve) => {
      this.#arrive = () => resolve(undefined)
    })
    this.#assignment = assignment
    this.#sendOrder()
    return Promise.race([arrived, this.#ended])
  }

  /** Asks a question before the server gets its order. Gives the unchecked answer; undefined when the agent ends instead. */
  async ask(question: Question): Promise<unknown> {
    await this.started
    if (this.#assignment) return undefined
    const answered = new Promise<unknown>((resolve) => this.#asked.push(resolve))
    this.#input.write(questionLine(question))
    return Promise.race([answered, this.#ended.then(() => undefined)])
  }

  /** Ends the peer, which removes all files of this transfer except the release. Returns whether it did. */
  async end(): Promise<boolean> {
    this.#input.end('end\n')
    const timer = setTimeout(() => this.letGo(), END_TIMEOUT_MS)
    const { ok } = await this.#ended
    clearTimeout(timer)
    return ok
  }

  /** Ends the connection; the peer lingers without it, and an agent without an order ends. */
  letGo(): void {
    this.#release.abort()
  }

  /** Ends the connection. `error` is then the server's failure. */
  giveUp(error: MurderError): void {
    this.#release.abort(error)
  }

  /**
   * Also applies when the agent never starts but the server keeps printing something else. Begins when it is this server's turn: in
   * a large fleet many wait for theirs.
   */
  #limitStart(stall: number): void {
    if (stall === 0 || this.#startLimit) return
    const seconds = 2 * (stall + STALL_GRACE_S)
    const late = () => this.giveUp(outOfTime('stall', seconds, this.server.label, 'upload'))
    const timer = new AwakeTimer(seconds, late)
    this.#startLimit = timer
    void this.started.then(() => timer.stop())
  }

  async #run(context: TaskContext, bringAgent: boolean): Promise<Outcome> {
    const pulse = setInterval(() => {
      if (!this.#input.writableEnded) this.#input.write('\n')
    }, PULSE_MS)
    try {
      return await this.#session(context, bringAgent)
    } finally {
      clearInterval(pulse)
    }
  }

  #session(context: TaskContext, bringAgent: boolean): Promise<Outcome> {
    const { fleet, settings, signal } = context
    const session = {
      script: bringAgent
        ? agentInstaller(context, this.server, 'receive')
        : nodeScript(setNodeOf(context, this.server), agentPath(placesOf(context, this.server)), 'receive'),
      stdin: () => {
        this.#limitStart(settings.timeouts.stall)
        this.#input = new PassThrough()
        for (const hear of this.#asked.splice(0)) hear(undefined) // Another agent answers from now on.
        this.#isArriving = bringAgent
        if (bringAgent) this.#input.write(compressedAgent())
        this.#sendOrder()
        return this.#input
      },
      onLine: (line: string) => this.#take(line),
    }
    return fleet.runOn(this.server, 'transfer', session, {
      signal: AbortSignal.any([signal, this.#release.signal]),
      // The agent has its own stall timeout and reports every two seconds. This one is for a dead server.
      stallTimeoutS: settings.timeouts.stall > 0 ? settings.timeouts.stall + STALL_GRACE_S : 0,
    })
  }

  #sendOrder(): void {
    if (this.#assignment && !this.#isArriving)
      this.#input.write(`${JSON.stringify(this.#assignment.order)}\n`)
  }

  #take(line: string): void {
    const event = parseEvent(line)
    if (event) this.#start()
    if (event && this.#isArriving) {
      this.#isArriving = false
      this.#sendOrder()
    }
    if (event?.event === 'failed' && event.code === 'NO_ORDER') this.#gotNoOrder = true
    if (event?.event === 'answered') this.#asked.shift()?.(event.answer)
    if (!event || !this.#assignment) return
    const { order, onEvent } = this.#assignment
    onEvent(event)
    if (event.event === (order.unpack || order.place ? 'unpacked' : 'done')) this.#arrive()
  }
}
