import { createReadStream } from 'node:fs'
import { join, posix } from 'node:path'
import { MurderError } from '../../errors.ts'
import { upload } from '../../fleet/upload.ts'
import { type RunStatus, runsNow } from '../../protocol/run-status.ts'
import { bytes } from '../../text/format.ts'
import type { Context } from '../context/context.ts'
import { environmentDirectory, environmentName } from '../context/local-paths.ts'
import {
  prepareAll,
  type Station,
  seederTrackers,
  shownTracker,
  startAt,
  stationOf,
  trackerStationOf,
} from '../hosts/placement.ts'
import { keyValueLines as lines, say } from '../outcome/say.ts'
import { ask } from '../preflight/ask.ts'
import { type FleetFacts, inspect } from '../preflight/preflight.ts'
import { permit } from '../swarm/permits.ts'
import { type SeedFiles, seedArguments } from '../swarm/swarm.ts'
import { createTransfer, loadTransfer, SECRET, type StoredTransfer } from '../transfer/stored-transfer.ts'
import { ensureTracker } from './tracker.ts'

/** The environment's seeders that run: one, or in bad luck an older one too. */
export async function findSeeders(context: Context, station: Station): Promise<RunStatus[]> {
  const own = `/${environmentName(context.shipit.environment)}/package`
  const runs = await station.status()
  return runs.filter((run) => run.role === 'seeder' && run.path?.endsWith(own) && runsNow(run))
}

/** `murder:start_seeding`: seeds what was packaged last; only where there is nothing, packages too. */
export async function startSeeding(context: Context): Promise<void> {
  const stored = await loadTransfer(context)
  const wanted = context.settings.tag
  if (!stored || wanted === undefined || wanted === stored.tag) return seed(context, stored)
  throw new MurderError('OTHER_PACKAGED', `${stored.tag} is packaged, not ${wanted}`, {
    cure: `run npx shipit ${context.shipit.environment} murder:create_torrent with MURDER_TAG=${wanted}`,
  })
}

/** `murder:seed`: packages the workspace and gives it to whoever asks, from the background. */
export async function seed(context: Context, packaged?: StoredTransfer): Promise<void> {
  const asked = ask(context)
  asked.catch(() => {}) // awaited below; until then a failure must not end the process
  const transfer = packaged ?? (await createTransfer(context))
  const station = stationOf(context)
  const own = await prepareAll(station, trackerStationOf(context))
  await permit(context, transfer, own)
  const tracker = await ensureTracker(context)
  const running = await findSeeders(context, station)
  const current = running.find(({ tag, infoHash }) => tag === transfer.tag && infoHash === transfer.infoHash)
  for (const old of running.filter((run) => run !== current)) await stopSeeder(context, station, old)
  const runsAlready = current?.port !== undefined
  const { port, pid } = runsAlready
    ? { port: current.port ?? 0, pid: current.pid ?? 0 }
    : await startSeeder(context, station, transfer, own)

  // Servers that are down can wait: they only tell by what address they reach this one.
  const { facts } = await inspect(context, asked)
  const known = new Map([...facts, ...own])
  await permit(context, transfer, known)
  const isSecret = transfer.secret !== undefined
  const url = shownTracker(context, tracker?.port, known)
  const { environment } = context.shipit
  const secretFile = isSecret ? join(environmentDirectory(environment), SECRET) : undefined
  const stop = `npx shipit ${environment} murder:stop_seeding murder:stop_tracker`
  const { tag, length, infoHash } = transfer
  say(
    context,
    lines(runsAlready ? `${tag} is being seeded already` : `Seeding ${tag} on ${station.label}`, [
      ['infohash', infoHash],
      ['tracker', url ?? 'none'],
      ...(secretFile === undefined ? [] : [['secret', secretFile] as [string, string]]),
      ['size', bytes(length)],
      ['stop', stop],
    ]),
    'seeding',
    {
      tag,
      infoHash,
      tracker: url ?? null,
      length,
      port,
      pid,
      runsAlready,
      path: transfer.file,
      secretFile,
      stop,
    },
  )
}

async function startSeeder(
  context: Context,
  station: Station,
  transfer: StoredTransfer,
  facts: FleetFacts,
): Promise<{ port: number; pid: number }> {
  const content = posix.join(station.directory, 'package')
  const isSecret = transfer.secret !== undefined
  const files = {
    ...{ content, torrent: `${content}.torrent` },
    ...(isSecret ? { secret: posix.join(station.directory, SECRET) } : {}),
  }
  await bringTo(context, station, transfer, files)
  const trackers = seederTrackers(context, transfer, facts)
  const args = seedArguments(context, files, trackers, context.fleet.servers.length)
  return startAt(station, ['seed', ...args, '--tag', transfer.tag], context.signal)
}

/** Uploads package, torrent and secret where another machine than this one seeds. */
async function bringTo(
  { fleet, settings, signal }: Context,
  { server }: Station,
  transfer: StoredTransfer,
  files: SeedFiles,
): Promise<void> {
  if (!server) return
  const options = { signal, stallTimeout: settings.timeouts.stall }
  const { length, sha256, secret } = transfer
  const content = { bytes: length, sha256, open: () => createReadStream(transfer.file) }
  for (const step of [
    { content: transfer.torrent, to: files.torrent },
    ...(files.secret === undefined ? [] : [{ content: Buffer.from(secret ?? ''), to: files.secret }]),
    { content, to: files.content },
  ]) {
    await upload(fleet, server, { ...step, mode: 0o600, step: 'seed' }, options)
  }
}

/** `murder:stop_seeding`: the environment's, or only that of a tag where the settings name one. */
export async function stopSeeding(context: Context): Promise<void> {
  const { settings, shipit } = context
  const station = stationOf(context)
  const own = await findSeeders(context, station)
  const running = own.filter(({ tag }) => settings.tag === undefined || tag === settings.tag)
  await stopSeeders(context, station, running, `No seeder of ${settings.tag ?? shipit.environment}`)
}

/** `murder:stop_all_seeding`: those of all environments of this project. */
export async function stopAllSeeding(context: Context): Promise<void> {
  const station = stationOf(context)
  const running = (await station.status()).filter((run) => run.role === 'seeder' && runsNow(run))
  await stopSeeders(context, station, running, 'No seeder')
}

async function stopSeeders(
  context: Context,
  station: Station,
  running: readonly RunStatus[],
  none: string,
): Promise<void> {
  if (running.length === 0) {
    return say(context, `${none} runs on ${station.label}`, 'stopped', {
      ...{ role: 'seeder', wasRunning: false },
    })
  }
  await station.prepare()
  for (const run of running) await stopSeeder(context, station, run)
}

async function stopSeeder(context: Context, station: Station, run: RunStatus): Promise<void> {
  await station.agent(['stop', run.tag])
  const { tag, pid = 0, sent = 0 } = run
  say(context, `Stopped the seeder of ${tag} on ${station.label} (pid ${pid})`, 'stopped', {
    ...{ role: 'seeder', wasRunning: true, tag, pid, sent },
  })
}
