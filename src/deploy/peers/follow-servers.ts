import type { Outcome } from '../../fleet/fleet.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import type { AgentEvent } from '../../protocol/events.ts'
import type { ServerReport } from '../../report/deploy-report.ts'
import type { Failure } from '../../report/failures.ts'
import { parseAddress } from '../../system/addresses.ts'
import { pause } from '../../system/backoff.ts'
import { oneLine } from '../../text/format.ts'
import type { Context } from '../context/context.ts'
import { agentError } from '../hosts/agent-error.ts'
import { failuresOf } from '../outcome/fleet-error.ts'
import type { FleetFacts } from '../preflight/preflight.ts'
import { orderFor, type ReceivePlan, sameForAll } from './make-order.ts'
import { Patience } from './patience.ts'
import { type Plan, Receiver } from './remote-peer.ts'

export interface Received {
  perServer: ServerReport[]
  failures: Failure[]
  /** Seconds from the start until the last server had everything or had failed, and from then until the last one had unpacked. */
  transferSeconds: number
  unpackSeconds: number
  /** The peers that go on sharing: tell them to end, or let go of them. */
  receivers: Receiver[]
}

/** Starts a peer on every server and follows them until they have unpacked. One's failure does not stop the others. */
export async function receive(context: Context, plan: ReceivePlan): Promise<Received> {
  const { fleet, settings, signal } = context
  const board = context.board()
  const started = performance.now()
  const seconds = () => (performance.now() - started) / 1000
  const reports = new Map<Server, ServerReport>()
  const complete = new Set<Server>()
  const result: Received = {
    perServer: [],
    failures: [],
    transferSeconds: 0,
    unpackSeconds: 0,
    receivers: [],
  }
  const forAll = sameForAll(context, plan)
  const follow = (server: Server): Plan => {
    const order = orderFor(context, plan, server, forAll)
    const report: ServerReport = { server: server.label, seconds: 0 }
    reports.set(server, report)
    plan.unpacked.add(server)
    board.update(server.label, { phase: 'transfer', total: plan.transfer.length })
    return { order, onEvent: (event) => take(event, server, report) }
  }
  const take = (event: AgentEvent, server: Server, report: ServerReport): void => {
    const { label } = server
    switch (event.event) {
      case 'prefilled':
        report.reused = event.bytes
        break
      case 'banned': {
        const liar = nameOf(plan.facts, event.address)
        report.banned = [...(report.banned ?? []), liar]
        board.log(`${label}: ${liar} sent wrong bytes and is not asked any more`)
        break
      }
      case 'progress':
        // Afterwards it shares on, and what it says of that is no progress of unpacking.
        if (!complete.has(server))
          board.update(label, { bytes: event.bytes, total: event.total, rate: event.down })
        board.seeder(plan.swarm.sent())
        break
      case 'downloaded':
        report.received = event.received
        report.fromSeeder = event.fromSeeder
        report.sent = event.sent
        report.seconds = seconds()
        context.record.transferred(report)
        break
      case 'done':
        result.transferSeconds = seconds()
        complete.add(server)
        board.update(
          label,
          plan.releasePath === undefined && !plan.place ? { phase: 'done' } : { phase: 'unpack' },
        )
        break
      case 'unpacked':
        result.unpackSeconds = seconds() - result.transferSeconds
        board.update(label, { phase: 'done' })
        break
      case 'failed':
        if (event.code === 'RELEASE_EXISTS') plan.unpacked.delete(server)
        throw agentError(event, settings)
    }
  }
  const servers = plan.servers ?? fleet.servers
  await Promise.all(
    servers.map(async (server) => {
      const started = plan.receivers?.get(server) ?? new Receiver(context, server)
      const { receiver, outcome } = await toTheEnd(context, started, follow)
      if (!outcome || outcome.ok) result.receivers.push(receiver)
      for (const failure of outcome ? failuresOf([outcome], 'transfer') : []) {
        if (signal.aborted) continue
        const failed = { ...failure, step: complete.has(server) ? 'unpack' : failure.step }
        // Who waits for the last servers has waited for this one, too.
        if (complete.has(server)) result.unpackSeconds = seconds() - result.transferSeconds
        else result.transferSeconds = seconds()
        result.failures.push(failed)
        board.fail(failed)
      }
    }),
  )
  const landed = new Set(result.receivers.map(({ server }) => server))
  result.perServer = servers.flatMap((server) => (landed.has(server) ? (reports.get(server) ?? []) : []))
  return result
}

/** The server that listens there, by its own addresses; else the address, without what a terminal would obey. */
function nameOf(facts: FleetFacts, address: string): string {
  const host = parseAddress(address)?.host ?? address
  const named = [...facts].filter(([, { addresses, serverAddress }]) =>
    [...addresses, serverAddress].includes(host),
  )
  const [only] = named
  return only && named.length === 1 ? `${only[0].label} (${host})` : oneLine(address)
}

/** Seconds between two attempts to reach a server that is gone. */
const PAUSE = 1

/** Follows one server until it has landed. When the connection breaks, its download goes on: a new one finds it again. */
async function toTheEnd(
  context: Context,
  first: Receiver,
  follow: (server: Server) => Plan,
): Promise<{ receiver: Receiver; outcome: Outcome | undefined }> {
  const { server } = first
  const patience = new Patience(context.settings.timeouts.stall)
  for (let [receiver, returned] = [first, 0]; ; receiver = new Receiver(context, server), returned++) {
    const plan = follow(server)
    const onEvent = (event: AgentEvent) => {
      patience.heard()
      plan.onEvent(event)
    }
    const outcome = await receiver.carryOut({ ...plan, onEvent })
    if (!outcome || outcome.ok || context.signal.aborted || !patience.allows(outcome.error))
      return { receiver, outcome }
    if (returned === 0) {
      context
        .board()
        .log(`${server.label}: the connection broke; connecting again, the download goes on meanwhile`)
    }
    await pause(PAUSE)
  }
}
