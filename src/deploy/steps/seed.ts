import { join, posix } from 'node:path'
import { MurderError } from '../../errors.ts'
import { type RunStatus, runsNow } from '../../protocol/run-status.ts'
import { bytes } from '../../text/format.ts'
import { quoteIfNeeded } from '../../text/shell-quote.ts'
import type { TaskContext } from '../context/context.ts'
import { shipitCommand } from '../context/shipit-command.ts'
import { prepareHosts, taskHosts } from '../hosts/hosts.ts'
import { Placement } from '../hosts/placement.ts'
import { keyValueLines as lines, say } from '../outcome/say.ts'
import { environmentDirectory, environmentName } from '../paths/local-paths.ts'
import { ask } from '../preflight/ask.ts'
import { inspect } from '../preflight/preflight.ts'
import { bringSeed, trackerArgs } from '../swarm/bring-seed.ts'
import { PERMITS, permit } from '../swarm/permits.ts'
import { createTransfer, loadTransfer, type StoredTransfer } from '../transfer/stored-transfer.ts'
import { SECRET } from '../transfer/transfer.ts'
import { ensureTracker } from './tracker.ts'

/** The environment's running seeders: usually one, at worst an older one too. */
export async function findSeeders(context: TaskContext): Promise<RunStatus[]> {
  const own = `/${environmentName(context.shipit.environment)}/package`
  const running = await findAllSeeders(context)
  return running.filter(({ path }) => path?.endsWith(own))
}

/** Seeders of all environments of this project. */
async function findAllSeeders(context: TaskContext): Promise<RunStatus[]> {
  const runs = await taskHosts(context).seeder.status()
  return runs.filter((run) => run.role === 'seeder' && runsNow(run))
}

/** `murder:start_seeding`: seeds the last package. Makes one only if there is none. */
export async function startSeeding(context: TaskContext): Promise<void> {
  const stored = await loadTransfer(context)
  const wanted = context.settings.tag
  if (!stored || wanted === undefined || wanted === stored.tag) return seed(context, stored)
  throw new MurderError('OTHER_PACKAGED', `${stored.tag} is packaged, not ${wanted}`, {
    cure: `run MURDER_TAG=${quoteIfNeeded(wanted)} ${shipitCommand(context.shipit.environment, 'murder:create_torrent')}`,
  })
}

/** `murder:seed`: packages the workspace and seeds it in the background. */
export async function seed(context: TaskContext, packaged?: StoredTransfer): Promise<void> {
  const asked = ask(context)
  asked.catch(() => {}) // awaited below; until then a failure must not end the process
  const transfer = packaged ?? (await createTransfer(context))
  const hosts = taskHosts(context)
  const ofHosts = await prepareHosts(context, hosts.seeder, hosts.tracker)
  await permit(context, transfer, ofHosts)
  const { hasOwnTracker } = new Placement(context)
  const trackerPort = hasOwnTracker ? (await ensureTracker(context)).port : undefined
  const placement = new Placement(context, ofHosts, trackerPort)
  const running = await findSeeders(context)
  const current = running.find(({ tag, infoHash }) => tag === transfer.tag && infoHash === transfer.infoHash)
  for (const old of running.filter((run) => run !== current)) await stopSeeder(context, old)
  const runsAlready = current?.port !== undefined
  const { port = 0, pid = 0 } = runsAlready ? current : await startSeeder(context, transfer, placement)

  // Servers may be down: they are only asked for the address at which they reach this machine.
  const { facts } = await inspect(context, asked)
  const known = new Map([...facts, ...ofHosts])
  await permit(context, transfer, known)
  const tracker = new Placement(context, known, trackerPort).shownTracker()
  tellSeeding(context, transfer, { tracker, port, pid, runsAlready })
}

async function startSeeder(
  context: TaskContext,
  transfer: StoredTransfer,
  placement: Placement,
): Promise<{ port: number; pid: number }> {
  const host = taskHosts(context).seeder
  const permits = posix.join(host.runs, PERMITS)
  const brought = await bringSeed(context, host, transfer, permits)
  const args = [...brought, ...trackerArgs(host, transfer, placement)]
  return host.launch('seed', [...args, '--tag', transfer.tag])
}

function tellSeeding(
  context: TaskContext,
  { tag, length, infoHash, secret, file: path }: StoredTransfer,
  run: { tracker: string | undefined; port: number; pid: number; runsAlready: boolean },
): void {
  const { environment } = context.shipit
  const { tracker = null, port, pid, runsAlready } = run
  const secretFile = secret === undefined ? undefined : join(environmentDirectory(environment), SECRET)
  const stop = shipitCommand(environment, 'murder:stop_seeding murder:stop_tracker')
  const { label } = taskHosts(context).seeder
  const rows: [string, string][] = [
    ['infohash', infoHash],
    ['tracker', tracker ?? 'none'],
    ['secret', secretFile ?? ''],
    ['size', bytes(length)],
    ['stop', stop],
  ]
  const text = lines(
    runsAlready ? `${tag} is being seeded already` : `Seeding ${tag} on ${label}`,
    rows.filter(([, value]) => value !== ''),
  )
  const fields = { tag, infoHash, tracker, length, port, pid, runsAlready, path, secretFile, stop }
  say(context, text, 'seeding', fields)
}

/** `murder:stop_seeding`: the environment's, or only that of a tag where the settings name one. */
export async function stopSeeding(context: TaskContext): Promise<void> {
  const { settings, shipit } = context
  const own = await findSeeders(context)
  const running = own.filter(({ tag }) => settings.tag === undefined || tag === settings.tag)
  await stopSeeders(context, running, `No seeder of ${settings.tag ?? shipit.environment}`)
}

/** `murder:stop_all_seeding` */
export async function stopAllSeeding(context: TaskContext): Promise<void> {
  await stopSeeders(context, await findAllSeeders(context), 'No seeder')
}

async function stopSeeders(context: TaskContext, running: readonly RunStatus[], none: string): Promise<void> {
  const host = taskHosts(context).seeder
  if (running.length === 0) {
    const fields = { role: 'seeder', wasRunning: false }
    return say(context, `${none} runs on ${host.label}`, 'stopped', fields)
  }
  await prepareHosts(context, host)
  for (const run of running) await stopSeeder(context, run)
}

async function stopSeeder(context: TaskContext, { tag, pid = 0, sent = 0 }: RunStatus): Promise<void> {
  const host = taskHosts(context).seeder
  await host.run(['stop', tag])
  const fields = { role: 'seeder', wasRunning: true, tag, pid, sent }
  say(context, `Stopped the seeder of ${tag} on ${host.label} (pid ${pid})`, 'stopped', fields)
}
