import { explain } from '../../errors.ts'
import type { Context, TaskContext } from '../context/context.ts'
import { Placement } from '../hosts/placement.ts'
import type { FleetFacts } from '../preflight/preflight.ts'
import type { Reach } from '../reach/reach.ts'
import type { Transfer } from '../transfer/transfer.ts'
import { LazySwarm } from './lazy-swarm.ts'
import { startSwarm } from './start-swarm.ts'
import type { Swarm } from './swarm.ts'

/**
 * The swarm of a deploy, not yet started. When it starts, other plugins and the user are told. `made`: the package, if it exists
 * by then. `reaching` is waited for when it starts.
 */
export function swarmOf(
  context: TaskContext,
  {
    made,
    facts,
    reaching,
  }: { made: () => Transfer | undefined; facts: FleetFacts; reaching: Promise<Reach> },
): LazySwarm {
  return new LazySwarm(new Placement(context, facts), async (seeded) => {
    const running = await startSwarm(context, seeded, facts, await reaching)
    warnWhenBroken(context, running)
    tellSeeding(context, made() ?? seeded[0], running)
    return running
  })
}

/** Losing the seeder's server after the transfer does not fail the deploy. */
export async function stopAndCount(
  context: Pick<Context, 'display' | 'record'>,
  swarm: LazySwarm,
): Promise<void> {
  try {
    await swarm.stop()
  } catch (error) {
    context.display.board().log(explain(error))
  }
  // The last report of a killed seeder is some seconds old.
  const had = context.record.servers.reduce((sum, { fromSeeder }) => sum + fromSeeder, 0)
  context.record.seederUploaded = Math.max(swarm.sent(), had)
}

/** Peers go on without a tracker, and without a seeder once they have everything between them. */
function warnWhenBroken(context: Pick<TaskContext, 'display'>, swarm: Swarm): void {
  void swarm.broken.then((error) => {
    if (error) context.display.board().log(explain(error))
  })
}

/** For other plugins. */
function tellSeeding(
  { shipit, settings }: Pick<TaskContext, 'settings' | 'shipit'>,
  transfer: Transfer,
  swarm: Swarm,
): void {
  const { tag, infoHash, length } = transfer
  const { trackerPort, seederPort } = swarm
  shipit.emit('murder:seeding', { tag, infoHash, length, trackerPort, seederPort, seeder: settings.seeder })
}
