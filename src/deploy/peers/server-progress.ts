import type { Server } from '../../fleet/ssh/server.ts'
import type { AgentEvent, Carried } from '../../protocol/events.ts'
import { carriedText } from '../../report/deploy-report.ts'
import { areClosed, closedLine } from '../../report/exchange.ts'
import type { Failure } from '../../report/failures.ts'
import type { ServerReport } from '../../report/server-report.ts'
import { oneLine } from '../../text/format.ts'
import type { Context, TaskContext } from '../context/context.ts'
import { isStaged } from '../deltas/bases.ts'
import { agentError } from '../hosts/agent-error.ts'
import type { ReceivePlan } from './make-order.ts'
import { amount, nameOf, transferOf } from './read-event.ts'
import type { SourceNames } from './source-names.ts'
import type { TransferPlan, TransferPlans } from './transfer-plans.ts'
import type { TransferTimes } from './transfer-times.ts'

/** How many peers one server may accuse. A malicious server could accuse any number. */
const MAX_BANNED = 10
const MAX_ADDRESS_CHARACTERS = 100
const MAX_MESSAGE_CHARACTERS = 300

/** The parts that the followers of all servers share. */
export interface FollowedRun {
  context: TaskContext & Pick<Context, 'log' | 'picture' | 'record'>
  plans: TransferPlans
  times: TransferTimes
  /** Whether any server has sent anything to others. */
  hasExchanged: boolean
  hasWarned: boolean
  /** All have arrived or failed. Peers that go on sharing still say so, but the display may have ended. */
  isOver: boolean
  names: SourceNames
}

/** What one server's events say: it is shown, and collected as the server's report. */
export class ServerProgress {
  report: ServerReport
  readonly #server: Server
  readonly #run: FollowedRun
  /** What is sent to this server, the delta or the package, and from where. */
  chosen: TransferPlan
  /** Why a delta did not fit. */
  #refused: string | undefined
  /** What came of that delta. */
  #inVain = { received: 0, fromSeeder: 0 }
  /** The content is complete. What follows is unpacking. */
  #isComplete = false
  #unpacksAgain = false

  constructor(run: FollowedRun, server: Server, chosen: TransferPlan) {
    this.#run = run
    this.#server = server
    this.chosen = chosen
    this.report = { server: server.label, seconds: 0 }
  }

  /** What the server does now. */
  get step(): 'transfer' | 'unpack' {
    return this.#isComplete ? 'unpack' : 'transfer'
  }

  /** The server gets an order, its first or the same again. */
  begin(): void {
    const { plan } = this.chosen
    const { label } = this.#server
    this.report = { server: label, seconds: 0, ...this.#brought() }
    plan.unpacked.add(this.#server)
    this.#board.update(label, { phase: 'transfer', total: plan.transfer.length })
  }

  /** Its delta does not fit, and it gets the package instead. */
  takesWhole(why: string): void {
    this.#refused = oneLine(why)
    const { received = 0, fromSeeder = 0 } = this.report
    this.#inVain = { received, fromSeeder }
    this.#isComplete = false
    this.#board.log(`${this.#server.label} gets the whole package: ${this.#refused}`, this.#server.label)
  }

  failed(failure: Failure): Failure {
    const failed = this.#isComplete ? { ...failure, step: 'unpack' } : failure
    // A failed server's time counts, too.
    if (this.#isComplete) this.#run.times.unpacked()
    else this.#run.times.transferred()
    this.#board.fail(failed)
    return failed
  }

  /** An error that this throws ends the peer and becomes the failure. */
  take(event: AgentEvent): void {
    const { context, times } = this.#run
    const { plan } = this.chosen
    const { label } = this.#server
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
        if (amount(event.sent) > 0) this.#run.hasExchanged = true
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
        if (event.code === 'RELEASE_EXISTS') plan.unpacked.delete(this.#server)
        throw agentError(event, context.settings, {
          isRelayed: plan.swarm.relays?.has(this.#server) ?? false,
        })
    }
  }

  #warnWhenClosed(): void {
    const { hasExchanged, hasWarned } = this.#run
    const { plan } = this.chosen
    if (plan.deltas && plan.deltas.size > 0) return // Several seeders send different content.
    if (hasWarned || hasExchanged || !areClosed(plan.transfer.length, plan.swarm.sent())) return
    this.#run.hasWarned = true
    this.#board.log(closedLine(this.#run.context.settings.between))
  }

  #noteCarried({ skipped, ...carried }: Carried): void {
    const { label } = this.#server
    if (carried.names.length > 0) {
      this.report.carried = carried
      this.#run.context.log.line(`${label}: carried over: ${carriedText(carried)}`)
    }
    for (const what of skipped) this.#board.log(`${label}: not carried over: ${oneLine(what)}`, label)
  }

  #noteSources(from: unknown): void {
    const { context, names } = this.#run
    context.picture.sources(this.#server.label, names.resolve(from))
  }

  #noteAgain(why: string): void {
    if (this.#unpacksAgain) return
    this.#unpacksAgain = true
    const { label } = this.#server
    this.#board.log(`${label}: unpacking begins anew when all is here: ${oneLine(why)}`, label)
  }

  #noteBanned(address: string): void {
    const { banned: known = [] } = this.report
    if (known.length >= MAX_BANNED) return
    const banned = nameOf(this.chosen.plan.facts, address)
    if (known.includes(banned)) return
    this.report.banned = [...known, banned]
    this.#board.log(`${this.#server.label}: ${banned} sent wrong bytes and is not asked any more`)
  }

  /** The report's line about the choice, where there was one. */
  #brought(): Partial<ServerReport> {
    const { plan } = this.chosen
    const { base, length } = plan.transfer
    if (base) {
      const unchanged = base.unchanged ? { unchanged: true } : {}
      const staged = isStaged(plan.facts.get(this.#server), base.id) ? { staged: true } : {}
      return { delta: { of: base.id, bytes: length, ...unchanged, ...staged } }
    }
    return this.#refused === undefined ? {} : { refusedDelta: this.#refused }
  }

  get #board() {
    return this.#run.context.display.board()
  }
}

const hasTarget = ({ releasePath, place }: ReceivePlan) => releasePath !== undefined || place !== undefined
