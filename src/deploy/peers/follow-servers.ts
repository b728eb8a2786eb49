import { siteOf } from '../../config/entries/sites.ts'
import type { Failure } from '../../report/failures.ts'
import type { ServerReport } from '../../report/server-report.ts'
import { tellLast } from '../last-server/tell-last.ts'
import { failuresWithSites } from './cut-off-sites.ts'
import { ServerFollower } from './follow-server.ts'
import type { FleetPlan } from './make-order.ts'
import type { RemotePeer } from './remote-peer.ts'
import type { FollowedRun } from './server-progress.ts'
import { SourceNames } from './source-names.ts'
import { TransferPlans } from './transfer-plans.ts'
import { TransferTimes } from './transfer-times.ts'

export interface Received {
  perServer: ServerReport[]
  failures: Failure[]
  /** Seconds from the start until the last server had everything or had failed, and from then until the last one had unpacked. */
  transferSeconds: number
  unpackSeconds: number
  /** The peers that go on sharing. They must be told to end, or be let go. */
  peers: RemotePeer[]
}

/** Starts a peer on every server and follows it until it has unpacked. A server that fails does not stop the others. */
export async function followServers(context: FollowedRun['context'], plan: FleetPlan): Promise<Received> {
  const times = new TransferTimes()
  const plans = new TransferPlans(context, plan)
  const names = new SourceNames(plan.facts)
  const run = { context, plans, times, names, hasExchanged: false, hasWarned: false, isOver: false }
  const followers = await Promise.all(
    (plan.servers ?? context.fleet.servers).map(
      async (server) => new ServerFollower(run, server, await plans.for(server)),
    ),
  )
  const endings = await Promise.all(
    followers.map(async (follower) => {
      const failure = await follower.follow()
      return {
        site: siteOf(context.settings.sites, follower.server)?.name,
        failure,
        isUnheard: follower.isUnheard,
      }
    }),
  )
  run.isOver = true
  const arrived = followers.filter(({ hasArrived }) => hasArrived)
  tellLast(
    context,
    arrived.flatMap(({ facts }) => facts ?? []),
  )
  return {
    perServer: arrived.map(({ report }) => report),
    failures: failuresWithSites(endings),
    transferSeconds: times.transfer,
    unpackSeconds: times.unpack,
    peers: arrived.map(({ peer }) => peer),
  }
}
