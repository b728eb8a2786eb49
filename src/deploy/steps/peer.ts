import { createHash } from 'node:crypto'
import { MurderError } from '../../errors.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import type { Failure } from '../../report/failures.ts'
import { duration } from '../../text/format.ts'
import type { Context } from '../context/context.ts'
import { notePath } from '../context/server-paths.ts'
import { hasOwnTracker, hostsOf, type Station, stationOf, trackerStationOf } from '../hosts/placement.ts'
import { uploadAgent } from '../hosts/upload-agent.ts'
import { assertNoFailures, failuresOf } from '../outcome/fleet-error.ts'
import { count, quietly, say } from '../outcome/say.ts'
import { followServers } from '../peers/follow-servers.ts'
import { undo } from '../peers/tidy.ts'
import { type UnpackTarget, unpackTargetOf } from '../peers/unpack-target.ts'
import { check, type FleetFacts } from '../preflight/preflight.ts'
import { checkSpace } from '../preflight/space.ts'
import { hasZstd } from '../preflight/verdict.ts'
import { saveLastBrought } from '../releases/last-brought.ts'
import { notePackageScript } from '../scripts/find-release-script.ts'
import { permit } from '../swarm/permits.ts'
import type { Swarm } from '../swarm/swarm.ts'
import { loadTransfer, type StoredTransfer } from '../transfer/stored-transfer.ts'
import { findSeeders } from './seed.ts'
import { findTracker } from './tracker.ts'

/** Seconds that a server may take for a question. */
const PATIENCE = 60

/** `murder:peer`: every server fetches what is seeded and unpacks it, as a release unless the settings say otherwise. */
export async function peer(context: Context, then: 'linger' | 'stop' = 'linger'): Promise<void> {
  const { fleet, settings } = context
  const station = stationOf(context)
  const { transfer, swarm: open } = await seeded(context, station)
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
  const unfit = [
    ...checkSpace(fleet.servers, facts, transfer),
    ...(await uploadAgent(quietly(context), facts, servers)),
  ]
  assertNoFailures(context, unfit, 'nothing was changed')

  const board = context.display.board()
  for (const { label } of complete) board.update(label, { phase: 'done' })
  const swarm = open(facts)
  try {
    const plan = { transfer, swarm, facts, servers, unpacked: new Set<Server>() }
    const received = await followServers(context, { ...plan, ...targetPlan(target, transfer) })
    context.signal.throwIfAborted()
    const { failures, perServer, transferSeconds, unpackSeconds } = received
    for (const each of received.peers) each.letGo()
    assertNoFailures(context, failures, `the others have ${path}`, { said: true })
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
    // Complete releases stay: the next call then only has the others to do.
    await undo(context, tag, new Set())
    throw error
  }
}

function targetPlan({ path, release, existing, file }: UnpackTarget, { revision }: StoredTransfer) {
  if (file) return { place: file }
  return {
    releasePath: path,
    ...(existing === 'refuse' ? {} : { existing }),
    ...(release && revision !== undefined ? { revision } : {}),
  }
}

/** What is seeded for this environment, and how servers get to it. Throws NOTHING_SEEDED or SEEDS_OTHER. */
async function seeded(
  context: Context,
  station: Station,
): Promise<{ transfer: StoredTransfer; swarm: (facts: FleetFacts) => Swarm }> {
  const { environment } = context.shipit
  const seeders = await findSeeders(context, station)
  const transfer = await loadTransfer(context)
  const cure = `run npx shipit ${environment} murder:seed`
  if (seeders.length === 0) {
    throw new MurderError('NOTHING_SEEDED', `Nothing is seeded for ${environment} on ${station.label}`, {
      cure,
    })
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
  const own = hasOwnTracker(context.settings)
  const tracker = own ? await findTracker(context) : undefined
  if (own && !tracker)
    say(context, 'No tracker runs: the servers know only the seeder (murder:start_tracker starts one)')
  const swarm = (facts: FleetFacts): Swarm => ({
    trackerPort: own ? (tracker?.port ?? context.settings.tracker.port) : undefined,
    seederPort: seeder.port ?? 0,
    hostFor: hostsOf(station, facts),
    trackerHostFor: hostsOf(trackerStationOf(context), facts),
    sent: () => 0,
    broken: new Promise(() => {}),
    stop: async () => {},
  })
  return { transfer, swarm }
}

function assertZstd(context: Context, { compression }: StoredTransfer, facts: FleetFacts): void {
  if (compression !== 'zstd') return
  const failures = [...facts].flatMap(([{ label }, found]): Failure[] =>
    hasZstd(found)
      ? []
      : [
          {
            server: label,
            step: 'check',
            cause: `Node.js ${found.node} has no zstd`,
            cure: 'set murder.compression to gzip and run murder:seed again, or install Node.js 22.15 or newer',
          },
        ],
  )
  assertNoFailures(context, failures, 'nothing was changed')
}

/**
 * The servers that have this very release whole. It appears by rename, so one that is there is whole; beside the agent
 * each server notes which package it stands for before it fetches it. Throws FLEET_FAILED where it is there but was made
 * of something else. What may be written over tells nothing.
 */
async function findComplete(
  context: Context,
  { tag, sha256 }: StoredTransfer,
  { path, release, existing }: UnpackTarget,
): Promise<Set<Server>> {
  if (existing !== 'refuse') return new Set()
  const { fleet, settings, signal } = context
  const note = notePath(settings.remotePath, release ? tag : `${tag}.${shortHash(path)}`)
  const script = notePackageScript({ path, note, sha256 })
  const outcomes = await fleet.run('check', () => ({ script }), { signal, totalTimeout: PATIENCE })
  signal.throwIfAborted()
  const failures = failuresOf(outcomes, 'check')
  const complete = new Set<Server>()
  for (const outcome of outcomes) {
    if (!outcome.ok) continue
    const words = outcome.stdout.split('\n')
    if (words.includes('same')) complete.add(outcome.server)
    if (!words.includes('other')) continue
    failures.push({
      server: outcome.server.label,
      step: 'check',
      cause: `${release ? `releases/${tag}` : path} is there already and was not made of this package`,
      cure: release
        ? 'set MURDER_TAG to another name and run murder:seed again'
        : 'remove it, set MURDER_UNSAFE_PLEASE_DELETE, or set MURDER_TAG to another name and run murder:seed again',
    })
  }
  assertNoFailures(context, failures, 'nothing was changed')
  return complete
}

const shortHash = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 8)
