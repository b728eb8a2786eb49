import { MurderError, reason } from '../../errors.ts'
import type { Outcome } from '../../fleet/command.ts'
import { outOfTime } from '../../fleet/ssh/messages/diagnose.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import type { AgentEvent, Carried } from '../../protocol/events.ts'
import { carriedText } from '../../report/deploy-report.ts'
import { areClosed, closedLine } from '../../report/exchange.ts'
import type { Failure } from '../../report/failures.ts'
import type { ServerReport } from '../../report/server-report.ts'
import { pause } from '../../system/backoff.ts'
import { defined } from '../../system/defined.ts'
import { oneLine } from '../../text/format.ts'
import type { Context, TaskContext } from '../context/context.ts'
import { isStaged } from '../deltas/bases.ts'
import { agentError } from '../hosts/agent-error.ts'
import { ServerProfile } from '../last-server/server-profile.ts'
import type { ServerTransfer } from '../last-server/server-transfer.ts'
import { failuresOf } from '../outcome/fleet-error.ts'
import { ProgressLimits } from './limits/progress-limits.ts'
import { ReconnectLimit } from './limits/reconnect-limit.ts'
import { Silence } from './limits/silence.ts'
import { orderFor, type ReceivePlan } from './make-order.ts'
import { amount, nameOf, transferOf } from './read-event.ts'
import { RemotePeer } from './remote-peer.ts'
import type { SourceNames } from './source-names.ts'
import type { TransferPlan, TransferPlans } from './transfer-plans.ts'
import type { TransferTimes } from './transfer-times.ts'

/** Pause between two attempts to reach a server whose connection broke. */
const RECONNECT_PAUSE_S = 1
const AGAIN = 'connecting again, the download goes on meanwhile'
const LOST_CURE = 'see whether it runs and its network is up: it may come back'
/** How often to check how far the server is. */
const LOOK_MS = 500
/** How many peers one server may accuse. A malicious server could accuse any number. */
const MAX_BANNED = 10
const MAX_ADDRESS_CHARACTERS = 100
const MAX_MESSAGE_CHARACTERS = 300

/** Failures of a delta that the whole package mends. */
const REFUSALS = new Set([
  'BASE_CHANGED',
  'BAD_DELTA',
  'PACKAGE_WRONG',
  'PACKAGE_DAMAGED',
  'PACKAGE_MISSING',
  'PACKAGE_REFUSED',
])

/** Failures after which a server may be well, and the line to it down. */
const UNHEARD = new Set(['STALLED', 'SSH_LOST', 'SSH_TIMEOUT'])

type FailedOutcome = Outcome & { ok: false }

/** The parts that the followers of all servers share. */
export interface FollowedRun {
  context: TaskContext & Pick<Context, 'log' | 'picture' | 'record'>
  plans: TransferPlans
  times: TransferTimes
  /** Bytes that each server has sent to others so far. */
  exchanged: Map<string, number>
  hasWarned: boolean
  /** All have arrived or failed. Peers that go on sharing still say so, but the display may have ended. */
  isOver: boolean
  names: SourceNames
}

/** Follows the peer of one server, shows how far it is, and collects its report. */
export class ServerFollower {
  peer: RemotePeer
  report: ServerReport
  /** The server has done all that was ordered. */
  hasArrived = false
  /** It failed because nothing was heard of it any more. */
  isUnheard = false
  readonly server: Server
  readonly #run: FollowedRun
  readonly #profile: ServerProfile
  /** The delta or the package. */
  #chosen: TransferPlan
  /** Why a delta did not fit. */
  #refused: string | undefined
  /** What came of that delta. */
  #inVain = { received: 0, fromSeeder: 0 }
  /** The content is complete. What follows is unpacking. */
  #isComplete = false
  #unpacksAgain = false

  constructor(run: FollowedRun, server: Server, chosen: TransferPlan) {
    this.#run = run
    this.server = server
    this.#chosen = chosen
    this.#profile = new ServerProfile(server.label, () => run.times.now())
    this.peer = chosen.plan.peers?.get(server) ?? new RemotePeer(run.context, server)
    this.report = { server: server.label, seconds: 0 }
  }

  /**
   * Returns the failure, unless Ctrl-C was the cause. If the connection breaks, the download goes on and a new connection finds
   * it.
   */
  async follow(): Promise<Failure | undefined> {
    const { display, picture, settings, signal } = this.#run.context
    const reconnectLimit = new ReconnectLimit(settings.timeouts.stall)
    let limits = this.#limits()
    let silence = new Silence()
    const onEvent = (event: AgentEvent) => {
      if (this.#run.isOver) return
      reconnectLimit.heard()
      silence.heard()
      picture.found(this.server.label)
      limits.heard(event)
      this.#profile.heard(event)
      this.#take(event)
    }
    for (let attempt = 0; ; attempt++) {
      const looking = setInterval(() => {
        if (silence.isLong) this.#lose('nothing is heard of it')
        this.#giveUpWhenLate(limits)
      }, LOOK_MS)
      const order = this.#begin()
      this.#profile.ordered()
      const ended = await this.peer.carryOut({ order, onEvent }).finally(() => clearInterval(looking))
      const outcome = asFailure(ended)
      this.hasArrived = !outcome
      if (!outcome || signal.aborted) return undefined
      if (this.#isRefused(outcome.error)) {
        const failure = await this.#takeWhole(outcome)
        if (signal.aborted) return undefined
        if (failure) return this.#fail(failure)
        limits = this.#limits()
        continue
      }
      const { gotNoOrder } = this.peer
      if (!gotNoOrder && !reconnectLimit.allows(outcome.error)) return this.#fail(outcome)
      if (attempt === 0 && !gotNoOrder)
        display.board().log(`${this.server.label}: the connection broke; ${AGAIN}`, this.server.label)
      const [failure] = gotNoOrder ? [] : failuresOf([outcome], 'transfer')
      if (failure) this.#lose(`${failure.cause}; ${AGAIN}`)
      silence = new Silence()
      await pause(RECONNECT_PAUSE_S)
      this.peer = new RemotePeer(this.#run.context, this.server)
    }
  }

  /** The timeline of this server's transfer, once it has been reported. */
  get facts(): ServerTransfer | undefined {
    return this.#profile.facts((source) => this.#run.names.nameOf(source))
  }

  #limits(): ProgressLimits {
    const { length, pieceLength, extent } = this.#chosen.plan.transfer
    const content = { length, pieceLength, files: extent.entries }
    return new ProgressLimits(this.#run.context.settings.timeouts, content)
  }

  #isRefused({ code }: { code: string }): boolean {
    return this.#chosen.plan.transfer.base !== undefined && REFUSALS.has(code)
  }

  /**
   * Called when the delta does not fit the base on this server. Returns the failure if the server cannot get the package either.
   */
  async #takeWhole(outcome: FailedOutcome): Promise<FailedOutcome | undefined> {
    const { context, plans } = this.#run
    try {
      this.#chosen = await plans.whole()
    } catch (error) {
      return { ...outcome, error: withoutWhole(outcome.error, error) }
    }
    this.#refused = oneLine(outcome.error.message)
    const { received = 0, fromSeeder = 0 } = this.report
    this.#inVain = { received, fromSeeder }
    this.#isComplete = false
    this.#board.log(`${this.server.label} gets the whole package: ${this.#refused}`, this.server.label)
    this.peer = new RemotePeer(context, this.server)
    await this.#chosen.plan.swarm.meet?.(this.server, this.peer)
    return undefined
  }

  /** It may be back, but those who look on can do something until then. */
  #lose(cause: string): void {
    const step = this.#isComplete ? 'unpack' : 'transfer'
    this.#run.context.picture.lost(this.server.label, { step, cause, cure: LOST_CURE })
  }

  #giveUpWhenLate(limits: ProgressLimits): void {
    const limit = limits.ranOut()
    if (limit) this.peer.giveUp(outOfTime(limit.why, limit.seconds, this.server.label, 'transfer'))
  }

  #begin() {
    const { context } = this.#run
    const { plan, shared } = this.#chosen
    const { label } = this.server
    plan.swarm.lead?.(this.server)
    const order = orderFor(context, plan, this.server, shared)
    this.report = { server: label, seconds: 0, ...this.#brought() }
    plan.unpacked.add(this.server)
    this.#board.update(label, { phase: 'transfer', total: plan.transfer.length })
    return order
  }

  /** The report's line about the choice, where there was one. */
  #brought(): Partial<ServerReport> {
    const { plan } = this.#chosen
    const { base, length } = plan.transfer
    if (base) {
      const unchanged = base.unchanged ? { unchanged: true } : {}
      const staged = isStaged(plan.facts.get(this.server), base.id) ? { staged: true } : {}
      return { delta: { of: base.id, bytes: length, ...unchanged, ...staged } }
    }
    return this.#refused === undefined ? {} : { refusedDelta: this.#refused }
  }

  get #board() {
    return this.#run.context.display.board()
  }

  /** An error that this throws ends the peer and becomes the failure. */
  #take(event: AgentEvent): void {
    const { context, times } = this.#run
    const { plan } = this.#chosen
    const { label } = this.server
    switch (event.event) {
      case 'listening':
        this.#run.names.listens(label, amount(event.port))
        break
      case 'banned':
        this.#noteBanned(String(event.address).slice(0, MAX_ADDRESS_CHARACTERS))
        break
      case 'progress':
        // A complete peer reports how it shares. That is no progress of unpacking.
        if (!this.#isComplete) this.#board.update(label, transferOf(event, plan.transfer.length))
        this.#run.exchanged.set(label, amount(event.sent))
        if (event.from) this.#noteSources(event.from)
        this.#board.seeder(plan.swarm.sent())
        this.#warnWhenClosed()
        break
      case 'downloaded': {
        const [received = 0, fromSeeder = 0, sent = 0] = [event.received, event.fromSeeder, event.sent].map(
          amount,
        )
        Object.assign(this.report, {
          received: received + this.#inVain.received,
          fromSeeder: fromSeeder + this.#inVain.fromSeeder,
          sent,
          seconds: times.now(),
        })
        context.record.transferred(this.report)
        if (event.from) this.#noteSources(event.from)
        break
      }
      case 'again':
        this.#noteAgain(String(event.message).slice(0, MAX_MESSAGE_CHARACTERS))
        break
      case 'done':
        times.transferred()
        this.#isComplete = true
        this.#board.update(label, { phase: hasTarget(plan) ? 'unpack' : 'done' })
        break
      case 'unpacked':
        times.unpacked()
        this.#board.update(label, { phase: 'done' })
        if (event.carried) this.#noteCarried(event.carried)
        break
      case 'failed':
        if (event.code === 'RELEASE_EXISTS') plan.unpacked.delete(this.server)
        throw agentError(event, context.settings, {
          isRelayed: plan.swarm.relays?.has(this.server) ?? false,
          isLate: this.#refused !== undefined,
        })
    }
  }

  #warnWhenClosed(): void {
    const { exchanged, hasWarned } = this.#run
    const { plan } = this.#chosen
    if (plan.deltas && plan.deltas.size > 0) return // Several seeders send different content.
    const sum = [...exchanged.values()].reduce((total, bytes) => total + bytes, 0)
    if (hasWarned || !areClosed(plan.transfer.length, plan.swarm.sent(), sum)) return
    this.#run.hasWarned = true
    this.#board.log(closedLine(this.#run.context.settings.between))
  }

  #noteCarried({ skipped, ...carried }: Carried): void {
    const { label } = this.server
    if (carried.names.length > 0) {
      this.report.carried = carried
      this.#run.context.log.line(`${label}: carried over: ${carriedText(carried)}`)
    }
    for (const what of skipped) this.#board.log(`${label}: not carried over: ${oneLine(what)}`, label)
  }

  #noteSources(from: unknown): void {
    const { context, names } = this.#run
    context.picture.sources(this.server.label, names.resolve(from))
  }

  #noteAgain(why: string): void {
    if (this.#unpacksAgain) return
    this.#unpacksAgain = true
    const { label } = this.server
    this.#board.log(`${label}: unpacking begins anew when all is here: ${oneLine(why)}`, label)
  }

  #noteBanned(address: string): void {
    const { banned: known = [] } = this.report
    if (known.length >= MAX_BANNED) return
    const banned = nameOf(this.#chosen.plan.facts, address)
    if (known.includes(banned)) return
    this.report.banned = [...known, banned]
    this.#board.log(`${this.server.label}: ${banned} sent wrong bytes and is not asked any more`)
  }

  #fail(outcome: FailedOutcome): Failure | undefined {
    this.isUnheard = UNHEARD.has(outcome.error.code)
    const [failure] = failuresOf([outcome], 'transfer')
    if (!failure) return undefined
    const failed = this.#isComplete ? { ...failure, step: 'unpack' } : failure
    // A failed server's time counts, too.
    if (this.#isComplete) this.#run.times.unpacked()
    else this.#run.times.transferred()
    this.#board.fail(failed)
    return failed
  }
}

/** An agent that ends before it reports that all is done has failed, whatever its exit code. */
function asFailure(ended: Outcome | undefined): FailedOutcome | undefined {
  if (!ended?.ok) return ended
  const error = new MurderError('AGENT_ENDED', 'the agent ended before its work was done', {
    cure: 'deploy again; if it happens again, see whether `node` on this server runs the agent',
  })
  return { server: ended.server, ok: false, error }
}

/** Neither the delta nor the package. */
function withoutWhole({ message }: MurderError, why: unknown): MurderError {
  const { code, cure } = why instanceof MurderError ? why : { code: 'NO_PACKAGE', cure: undefined }
  const text = `${oneLine(message)}; and there is no package for it: ${oneLine(reason(why))}`
  return new MurderError(code, text, { ...defined({ cure }), cause: why })
}

const hasTarget = ({ releasePath, place }: ReceivePlan) => releasePath !== undefined || place !== undefined
