import { MurderError, reason } from '../../errors.ts'
import type { Outcome } from '../../fleet/command.ts'
import { outOfTime } from '../../fleet/ssh/messages/diagnose.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import type { AgentEvent } from '../../protocol/events.ts'
import type { Failure } from '../../report/failures.ts'
import type { ServerReport } from '../../report/server-report.ts'
import { pause } from '../../system/backoff.ts'
import { defined } from '../../system/defined.ts'
import { oneLine } from '../../text/format.ts'
import { ServerProfile } from '../last-server/server-profile.ts'
import type { ServerTransfer } from '../last-server/server-transfer.ts'
import { failuresOf } from '../outcome/fleet-error.ts'
import { ProgressLimits } from './limits/progress-limits.ts'
import { ReconnectLimit } from './limits/reconnect-limit.ts'
import { Silence } from './limits/silence.ts'
import { orderFor } from './make-order.ts'
import { RemotePeer } from './remote-peer.ts'
import { type FollowedRun, ServerProgress } from './server-progress.ts'
import type { TransferPlan } from './transfer-plans.ts'

/** Pause between two attempts to reach a server whose connection broke. */
const RECONNECT_PAUSE_S = 1
const AGAIN = 'connecting again, the download goes on meanwhile'
const LOST_CURE = 'see whether it runs and its network is up: it may come back'
/** How often to check how far the server is. */
const LOOK_MS = 500

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

/** Follows the peer of one server, shows how far it is, and collects its report. */
export class ServerFollower {
  peer: RemotePeer
  /** The server has done all that was ordered. */
  hasArrived = false
  /** It failed because nothing was heard of it any more. */
  isUnheard = false
  readonly server: Server
  readonly #run: FollowedRun
  readonly #profile: ServerProfile
  readonly #progress: ServerProgress
  /** The delta or the package. */

  constructor(run: FollowedRun, server: Server, chosen: TransferPlan) {
    this.#run = run
    this.server = server
    this.#progress = new ServerProgress(run, server, chosen)
    this.#profile = new ServerProfile(server.label, () => run.times.now())
    this.peer = chosen.plan.peers?.get(server) ?? new RemotePeer(run.context, server)
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
      this.#progress.take(event)
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

  get report(): ServerReport {
    return this.#progress.report
  }

  /** The timeline of this server's transfer, once it has been reported. */
  get facts(): ServerTransfer | undefined {
    return this.#profile.facts((source) => this.#run.names.nameOf(source))
  }

  #limits(): ProgressLimits {
    const { length, pieceLength, extent } = this.#progress.chosen.plan.transfer
    const content = { length, pieceLength, files: extent.entries }
    return new ProgressLimits(this.#run.context.settings.timeouts, content)
  }

  #isRefused({ code }: { code: string }): boolean {
    return this.#progress.chosen.plan.transfer.base !== undefined && REFUSALS.has(code)
  }

  /**
   * Called when the delta does not fit the base on this server. Returns the failure if the server cannot get the package either.
   */
  async #takeWhole(outcome: FailedOutcome): Promise<FailedOutcome | undefined> {
    const { context, plans } = this.#run
    try {
      this.#progress.chosen = await plans.whole()
    } catch (error) {
      return { ...outcome, error: withoutWhole(outcome.error, error) }
    }
    this.#progress.takesWhole(outcome.error.message)
    this.peer = new RemotePeer(context, this.server)
    this.#progress.chosen = await plans.met(this.#progress.chosen, this.server, this.peer)
    return undefined
  }

  /** It may be back, but those who look on can do something until then. */
  #lose(cause: string): void {
    const { step } = this.#progress
    this.#run.context.picture.lost(this.server.label, { step, cause, cure: LOST_CURE })
  }

  #giveUpWhenLate(limits: ProgressLimits): void {
    const limit = limits.ranOut()
    if (limit) this.peer.giveUp(outOfTime(limit.why, limit.seconds, this.server.label, 'transfer'))
  }

  #begin() {
    const { context } = this.#run
    const { plan, shared } = this.#progress.chosen
    plan.swarm.lead?.(this.server)
    const order = orderFor(context, plan, this.server, shared)
    this.#progress.begin()
    return order
  }

  #fail(outcome: FailedOutcome): Failure | undefined {
    this.isUnheard = UNHEARD.has(outcome.error.code)
    const [failure] = failuresOf([outcome], 'transfer')
    return failure && this.#progress.failed(failure)
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
