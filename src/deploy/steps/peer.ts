import { MurderError } from '../../errors.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import { defined } from '../../system/defined.ts'
import { duration } from '../../text/format.ts'
import type { Context, TaskContext } from '../context/context.ts'
import { shipitCommand } from '../context/shipit-command.ts'
import { taskHosts } from '../hosts/hosts.ts'
import { Placement } from '../hosts/placement.ts'
import { assertNoFailures, tellFailures } from '../outcome/fleet-error.ts'
import { count, say } from '../outcome/say.ts'
import { followServers } from '../peers/follow-servers.ts'
import { startPeers } from '../peers/start-peers.ts'
import { undo } from '../peers/tidy.ts'
import { type UnpackTarget, unpackTargetOf } from '../peers/unpack-target.ts'
import { check, type FleetFacts } from '../preflight/preflight.ts'
import { checkSpace } from '../preflight/space.ts'
import { hasZstd } from '../preflight/verdict.ts'
import { closeReach, prepareReach } from '../reach/reach.ts'
import { saveLastBrought } from '../releases/choose/last-brought.ts'
import { permit } from '../swarm/permits.ts'
import { loadTransfer, type StoredTransfer } from '../transfer/stored-transfer.ts'
import { findComplete } from './complete-servers.ts'
import { findSeeders } from './seed.ts'
import { findTracker } from './tracker.ts'

/** `murder:peer`: every server fetches what is seeded and unpacks it, as a release unless the settings say otherwise. */
export async function peer(context: Context, then: 'linger' | 'stop' = 'linger'): Promise<void> {
  const { fleet, settings } = context
  const { transfer, seederPort, trackerPort } = await seeded(context)
  const { tag } = transfer
  const target = unpackTargetOf(context, transfer)
  const { path } = target
  if (target.release) await saveLastBrought(context.shipit.environment, transfer)
  const facts = await check(context)
  await permit(context, transfer, facts)
  assertZstd(context, transfer, facts)
  const complete = await findComplete(context, transfer, target)
  const servers = fleet.servers.filter((server) => !complete.has(server))
  const fields = { tag, path, already: [...complete].map(({ label }) => label) }
  if (servers.length === 0) {
    const text = `${count(complete.size, 'server')} ${complete.size === 1 ? 'has' : 'have'} ${path} already`
    return say(context, text, 'received', { ...fields, perServer: [] })
  }
  assertNoFailures(
    context,
    checkSpace(fleet.servers, facts, () => transfer),
    'nothing was changed',
  )

  const board = context.display.board()
  for (const { label } of complete) board.update(label, { phase: 'done' })
  const { peers, missing } = startPeers(context, facts, servers)
  const running = { seeder: seederPort, ...defined({ tracker: trackerPort }) }
  const reaching = prepareReach(context, { facts, peers, uploaded: missing }, tag, running)
  try {
    assertNoFailures(context, await missing, 'nothing was changed')
    const reach = await reaching
    assertNoFailures(context, await reach.filtered, 'nothing was changed')
    const swarm = {
      placement: new Placement(context, facts, trackerPort),
      seederPort,
      relays: await reach.relays,
      lead: (server: Server) => reach.lead(server, running),
      sent: () => 0,
    }
    const received = await followServers(context, {
      whole: async () => transfer,
      swarm,
      links: reach.links,
      facts,
      servers,
      peers,
      unpacked: new Set<Server>(),
      ...targetPlan(target, transfer),
    })
    if (context.signal.aborted) tellFailures(context, received.failures, { said: true })
    context.signal.throwIfAborted()
    const { failures, perServer, transferSeconds, unpackSeconds } = received
    assertNoFailures(context, failures, { one: `has ${path}`, several: `have ${path}` }, { said: true })
    const lines = [
      `${count(fleet.servers.length, 'server')}: ${path} is complete${target.release ? ', not published' : ''}`,
      `transfer ${duration(transferSeconds)}, unpack ${duration(unpackSeconds)}`,
      ...(complete.size > 0 ? [`${count(complete.size, 'server')} had it already`] : []),
      ...(settings.linger > 0 && then === 'linger'
        ? [`they share for ${settings.linger} s more; murder:stop_peering ends that`]
        : []),
    ]
    say(context, lines.join('\n  '), 'received', { ...fields, transferSeconds, unpackSeconds, perServer })
  } catch (error) {
    // Complete releases stay, so that the next call only needs the other servers.
    await undo(context, tag, new Set())
    throw error
  } finally {
    for (const each of peers.values()) each.letGo() // Also those that never got an order.
    await closeReach(reaching)
  }
}

function targetPlan({ path, release, existing, file }: UnpackTarget, { revision }: StoredTransfer) {
  if (file) return { place: file }
  const ofRelease = release ? { carries: true, ...defined({ revision }) } : {}
  return { releasePath: path, ...(existing === 'refuse' ? {} : { existing }), ...ofRelease }
}

/** The seeded transfer of this environment, and the ports of its seeder and tracker. Throws NOTHING_SEEDED or SEEDS_OTHER. */
async function seeded(
  context: TaskContext,
): Promise<{ transfer: StoredTransfer; seederPort: number; trackerPort: number | undefined }> {
  const { environment } = context.shipit
  const seeders = await findSeeders(context)
  const transfer = await loadTransfer(context)
  const cure = `run ${shipitCommand(environment, 'murder:seed')}`
  if (seeders.length === 0) {
    const { label } = taskHosts(context).seeder
    throw new MurderError('NOTHING_SEEDED', `Nothing is seeded for ${environment} on ${label}`, { cure })
  }
  const seeder = seeders.find(({ tag, infoHash }) => tag === transfer?.tag && infoHash === transfer.infoHash)
  if (!transfer || seeder?.port === undefined) {
    const what = seeders.map(({ tag }) => tag).join(', ')
    const here = transfer ? `${transfer.tag} is packaged` : 'there is no package of it here any more'
    throw new MurderError('SEEDS_OTHER', `${what} is being seeded, but ${here}`, { cure })
  }
  const wanted = context.settings.tag
  if (wanted !== undefined && wanted !== transfer.tag)
    throw new MurderError('SEEDS_OTHER', `${transfer.tag} is being seeded, not ${wanted}`, { cure })
  const { hasOwnTracker } = new Placement(context)
  const tracker = hasOwnTracker ? await findTracker(context) : undefined
  if (hasOwnTracker && !tracker)
    say(context, 'No tracker runs: the servers know only the seeder (murder:start_tracker starts one)')
  return { transfer, seederPort: seeder.port, trackerPort: tracker?.port }
}

function assertZstd(
  context: Pick<TaskContext, 'display' | 'fleet' | 'shipit'>,
  { compression }: StoredTransfer,
  facts: FleetFacts,
): void {
  if (compression !== 'zstd') return
  const seedAgain = shipitCommand(context.shipit.environment, 'murder:seed')
  const cure = `install Node.js 22.15 or newer, or set murder.compression to gzip and run again: ${seedAgain}`
  const failures = [...facts]
    .filter(([, found]) => !hasZstd(found))
    .map(([{ label }, { node }]) => {
      return { server: label, step: 'check', cause: `Node.js ${node} has no zstd`, cure }
    })
  assertNoFailures(context, failures, 'nothing was changed')
}
