import { posix } from 'node:path'
import type { AgentEvent, ReceiveOrder } from '../agent/contract.ts'
import { encodeLayout } from '../package/layout.ts'
import type { Outcome } from '../remote/fleet.ts'
import { pause } from '../remote/retry.ts'
import type { Server } from '../remote/server.ts'
import { oneLine } from '../report/format.ts'
import type { Failure, ServerReport } from '../report/index.ts'
import { formatAddress, parseAddress } from '../torrent/compact.ts'
import { withTrackers } from '../torrent/metainfo.ts'
import { agentError } from './agent-error.ts'
import type { FleetFacts } from './check.ts'
import type { Context } from './context.ts'
import { failuresOf } from './fleet-error.ts'
import { releasesPath, transferPath } from './paths.ts'
import { Patience } from './patience.ts'
import { type Plan, Receiver } from './receiver.ts'
import { fleetHosts, type Swarm, trackersOf } from './swarm.ts'
import { releaseBytes, type Transfer } from './transfer.ts'

export interface ReceivePlan {
  transfer: Transfer
  swarm: Swarm
  facts: FleetFacts
  /** Where to unpack; left out, the package is only fetched. */
  releasePath?: string
  /** What becomes of what is there already; refused when it is left out. */
  existing?: 'merge' | 'replace'
  /** Instead of `releasePath`: the package is one file, which goes there. */
  place?: NonNullable<ReceiveOrder['place']>
  revision?: string
  /** Only these; all unless told otherwise. */
  servers?: readonly Server[]
  /** Those that have been started already. */
  receivers?: ReadonlyMap<Server, Receiver>
  /**
   * Gets the servers where a release in its place is this transfer's work, also when its last word did not arrive: all
   * that were told to unpack, but those that found one there.
   */
  unpacked: Set<Server>
}

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

/** The list of the release's files goes to every server: not when it would be more than it can save. */
const LARGEST_LAYOUT_SHARE = 0.25

function prefillLayout(context: Context, { transfer, facts }: ReceivePlan): string | undefined {
  if (transfer.directory || transfer.compression !== 'none' || !canPrefill(context, facts)) return undefined
  const layout = encodeLayout(transfer.entries)
  return layout.length <= transfer.length * LARGEST_LAYOUT_SHARE ? layout : undefined
}

/** Whether any server has a current release to take unchanged files from. */
export function canPrefill({ settings }: Context, facts: FleetFacts): boolean {
  return (
    settings.prefill &&
    !settings.encrypt &&
    [...facts.values()].some(({ currentRelease }) => currentRelease !== undefined)
  )
}

function prefillFrom(
  { settings, shipit }: Context,
  current: string | undefined,
  { directory }: Transfer,
  layout: string | undefined,
): Pick<ReceiveOrder, 'prefill'> {
  if (current === undefined || !(directory ? settings.prefill : layout !== undefined)) return {}
  const from = posix.join(releasesPath(shipit.config.deployTo ?? ''), current)
  return { prefill: { from, ...(layout === undefined ? {} : { layout }) } }
}

/** What is long and the same in every server's order, so that it is made once. */
function sameForAll(context: Context, plan: ReceivePlan) {
  const { transfer, facts } = plan
  return {
    // Peers get the manifest of a directory as a file.
    torrent: withTrackers(transfer.torrent, []).toString('base64'),
    layout: prefillLayout(context, plan),
    bytes: releaseBytes(transfer.entries),
    hosts: fleetHosts(facts),
  }
}

function orderFor(
  context: Context,
  plan: ReceivePlan,
  server: Server,
  { layout, bytes, torrent, hosts }: ReturnType<typeof sameForAll>,
): ReceiveOrder {
  const { settings } = context
  const { transfer, swarm, facts, releasePath, existing, place, revision } = plan
  const current = facts.get(server)?.currentRelease
  return {
    tag: transfer.tag,
    torrent,
    sha256: transfer.sha256,
    directory: transferPath(settings, transfer.tag),
    trackers: trackersOf(context, swarm, server, transfer),
    peers: [formatAddress(swarm.hostFor(server), swarm.seederPort)],
    ...(transfer.secret === undefined ? {} : { secret: transfer.secret }),
    ...(hosts ? { hosts } : {}),
    ports: settings.ports,
    fleet: (plan.servers ?? context.fleet.servers).length,
    linger: settings.linger,
    uploadLimit: settings.uploadLimit,
    downloadLimit: settings.downloadLimit,
    timeouts: settings.timeouts,
    ...prefillFrom(context, current, transfer, layout),
    ...(releasePath === undefined
      ? {}
      : {
          unpack: {
            into: releasePath,
            compression: transfer.compression,
            ...(transfer.directory ? { directory: true } : {}),
            ...(transfer.key === undefined ? {} : { key: transfer.key }),
            ...(existing ? { existing } : {}),
            ...(revision === undefined ? {} : { revision }),
            bytes,
          },
        }),
    ...(place ? { place } : {}),
  }
}
