import { rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { MurderError } from '../errors.ts'
import type { Server } from '../remote/server.ts'
import type { FleetFacts } from './check.ts'
import type { Context } from './context.ts'
import { type Agent, type Role, startKept } from './kept-agent.ts'
import { LocalAgent } from './local-agent.ts'
import { permitOf, writePrivate } from './permits.ts'
import { hasOwnTracker, type Swarm, seedArguments, seederTrackers } from './swarm.ts'
import type { Transfer } from './transfer.ts'

/** Starts tracker and seeder on the deploy host, for as long as this process lives. */
export async function startLocally(context: Context, transfer: Transfer, facts: FleetFacts): Promise<Swarm> {
  const { settings, fleet } = context
  const directory = dirname(transfer.file)
  const torrent = join(directory, 'package.torrent')
  // Beside the package, so that it goes with it; and two deploys from one host have nothing in common.
  const runs = ['--run-dir', join(directory, 'runs')]
  const permits = join(directory, 'permits.json')
  const secret = join(directory, 'secret')
  await writeFile(torrent, transfer.torrent, { mode: 0o600 })
  await writePrivate(permits, JSON.stringify([await permitOf(context, transfer, facts)]))
  if (transfer.secret !== undefined) await writePrivate(secret, transfer.secret)
  const log = (line: string) => context.board().log(line)
  const start = (role: Role, args: readonly string[]) => startKept(LocalAgent.start, role, args, log)
  const port = String(settings.tracker.port)
  const own = hasOwnTracker(settings)
  const trackers = seederTrackers(settings, own ? settings.tracker.port : undefined, transfer)
  const files = { torrent, content: transfer.file, ...(transfer.secret === undefined ? {} : { secret }) }
  const [seeder, tracker] = await allOrNone(
    start('seed', [...seedArguments(context, files, trackers, fleet.servers.length), ...runs]),
    own ? start('tracker', ['--port', port, '--permits', permits, ...runs]) : undefined,
  )
  const hosts = new Map(fleet.servers.map((server) => [server, hostOf(context, server, facts)]))
  return {
    trackerPort: tracker?.port,
    seederPort: seeder.port,
    hostFor: (server) => hosts.get(server) ?? '',
    sent: () => seeder.agent.sent,
    broken: Promise.race([...(tracker ? [tracker.agent.ended] : []), seeder.agent.ended]),
    async stop() {
      await Promise.all([tracker?.agent.stop(), seeder.agent.stop()])
      for (const file of [torrent, permits, secret]) await rm(file, { force: true })
    },
  }
}

type Started = { agent: Agent; port: number }

/** Side by side, because a program takes a while to start. When one fails, the other is stopped. */
async function allOrNone<T extends Promise<Started> | undefined>(
  one: Promise<Started>,
  other: T,
): Promise<[Started, Awaited<T>]> {
  try {
    return await Promise.all([one, other])
  } catch (error) {
    for (const started of await Promise.allSettled([one, other]))
      if (started.status === 'fulfilled') await started.value?.agent.stop()
    throw error
  }
}

function hostOf(context: Context, server: Server, facts: FleetFacts): string {
  const address = context.settings.announce ?? facts.get(server)?.clientAddress
  if (address !== undefined) return address
  throw new MurderError(
    'NO_ADDRESS',
    `${server.label} does not say from where it is reached: its SSH_CONNECTION is empty`,
    { cure: 'set murder.announce to the address of the deploy host' },
  )
}
