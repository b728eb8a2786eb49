import { createReadStream } from 'node:fs'
import { posix } from 'node:path'
import type { RunStatus } from '../agent/run-status.ts'
import { upload } from '../remote/upload.ts'
import { bytes } from '../report/index.ts'
import { formatAddress } from '../torrent/announce.ts'
import { ask, inspect } from './check.ts'
import type { Context } from './context.ts'
import { environmentName } from './local-paths.ts'
import { facts, say } from './say.ts'
import { runsNow, type Station, shownHost, startAt, stationOf } from './station.ts'
import { createTransfer, type StoredTransfer } from './stored-transfer.ts'
import { seedArguments } from './swarm.ts'
import { ensureTracker } from './tracker.ts'

/** The environment's seeders that run: one, or in bad luck an older one too. */
export async function findSeeders(context: Context, station: Station): Promise<RunStatus[]> {
  const own = `/${environmentName(context.shipit.environment)}/package`
  const runs = await station.status()
  return runs.filter((run) => run.role === 'seeder' && run.path?.endsWith(own) && runsNow(run))
}

/** `murder:seed`: packages the workspace and gives it to whoever asks, from the background. */
export async function seed(context: Context): Promise<void> {
  const asked = ask(context)
  asked.catch(() => {}) // awaited below; until then a failure must not end the process
  const transfer = await createTransfer(context)
  const station = stationOf(context)
  await station.prepare()
  const tracker = await ensureTracker(context, station)
  const running = await findSeeders(context, station)
  const current = running.find(({ tag, infoHash }) => tag === transfer.tag && infoHash === transfer.infoHash)
  for (const old of running.filter((run) => run !== current)) await stopSeeder(context, station, old)
  const runsAlready = current?.port !== undefined
  const { port, pid } = runsAlready
    ? { port: current.port ?? 0, pid: current.pid ?? 0 }
    : await startSeeder(context, station, transfer, tracker.port)

  // Servers that are down can wait: they only tell by what address they reach this one.
  const { facts: known } = await inspect(context, asked)
  const url = `http://${formatAddress(shownHost(context, station, known), tracker.port)}/announce`
  const { environment } = context.shipit
  const stop = `npx shipit ${environment} murder:stop_seeding murder:stop_tracker`
  const { tag, length, infoHash } = transfer
  say(
    context,
    facts(runsAlready ? `${tag} is being seeded already` : `Seeding ${tag} on ${station.label}`, [
      ['infohash', infoHash],
      ['tracker', url],
      ['size', bytes(length)],
      ['stop', stop],
    ]),
    'seeding',
    { tag, infoHash, tracker: url, length, port, pid, runsAlready, path: transfer.file, stop },
  )
}

async function startSeeder(
  context: Context,
  station: Station,
  transfer: StoredTransfer,
  trackerPort: number,
): Promise<{ port: number; pid: number }> {
  const file = posix.join(station.directory, 'package')
  const torrent = `${file}.torrent`
  await bringTo(context, station, transfer, file, torrent)
  const url = `http://127.0.0.1:${trackerPort}/announce`
  const args = seedArguments(context, torrent, file, url, context.fleet.servers.length)
  return startAt(station, ['seed', ...args, '--tag', transfer.tag], context.signal)
}

/** Uploads package and torrent where another machine than this one seeds. */
async function bringTo(
  { fleet, settings, signal }: Context,
  { server }: Station,
  transfer: StoredTransfer,
  file: string,
  torrent: string,
): Promise<void> {
  if (!server) return
  const options = { servers: [server], signal, stallTimeout: settings.timeouts.stall }
  const { length, sha256 } = transfer
  const content = { bytes: length, sha256, open: () => createReadStream(transfer.file) }
  for (const step of [
    { content: transfer.torrent, to: torrent },
    { content, to: file },
  ]) {
    const outcomes = await upload(fleet, { ...step, mode: 0o600, step: 'seed' }, options)
    for (const outcome of outcomes) if (!outcome.ok) throw outcome.error
  }
}

/** `murder:stop_seeding` */
export async function stopSeeding(context: Context): Promise<void> {
  const station = stationOf(context)
  const running = await findSeeders(context, station)
  if (running.length === 0) {
    return say(context, `No seeder of ${context.shipit.environment} runs on ${station.label}`, 'stopped', {
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
