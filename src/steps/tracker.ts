import type { RunStatus } from '../agent/run-status.ts'
import { announceUrl } from '../agent/units.ts'
import { MurderError } from '../errors.ts'
import type { Context } from './context.ts'
import { permitsPath, putPermits } from './permits.ts'
import { facts, say } from './say.ts'
import { runsNow, type Station, shownHost, startAt, stationOf } from './station.ts'

/** All environments of a project that have the same port share its tracker. */
const tagOf = ({ settings }: Context) => `port-${settings.tracker.port}`

export async function findTracker(context: Context, station: Station): Promise<RunStatus | undefined> {
  const runs = await station.status()
  return runs.find((run) => run.role === 'tracker' && run.tag === tagOf(context) && runsNow(run))
}

/** Starts a tracker if none runs there. Throws PORT_TAKEN when another program has the port. */
export async function ensureTracker(
  context: Context,
  station: Station,
): Promise<{ port: number; pid: number; runsAlready: boolean }> {
  const running = await findTracker(context, station)
  const { port } = context.settings.tracker
  if (running?.port !== undefined) return { port: running.port, pid: running.pid ?? 0, runsAlready: true }
  try {
    await putPermits(context, station)
    const args = [
      'tracker',
      '--port',
      String(port),
      '--permits',
      permitsPath(station),
      '--tag',
      tagOf(context),
    ]
    return { ...(await startAt(station, args, context.signal)), runsAlready: false }
  } catch (error) {
    if (!(error instanceof MurderError) || error.code !== 'PORT_TAKEN') throw error
    throw new MurderError('PORT_TAKEN', `Port ${port} on ${station.label} is taken by another program`, {
      cure: 'stop it, or set murder.tracker.port to another port',
      cause: error,
    })
  }
}

/** `murder:start_tracker` */
export async function startTracker(context: Context): Promise<void> {
  const station = stationOf(context)
  await station.prepare()
  const { port, pid, runsAlready } = await ensureTracker(context, station)
  const { allowStrangers } = context.settings
  const url = announceUrl(shownHost(context, station, new Map()), port, !allowStrangers)
  say(
    context,
    facts(
      runsAlready ? `The tracker runs already on ${station.label}` : `Tracker is running on ${station.label}`,
      [
        ['url', url],
        ['pid', String(pid)],
        ['stop', `npx shipit ${context.shipit.environment} murder:stop_tracker`],
      ],
    ),
    'tracker',
    { url, port, pid, runsAlready },
  )
}

/** `murder:stop_tracker` */
export async function stopTracker(context: Context): Promise<void> {
  const station = stationOf(context)
  const running = await findTracker(context, station)
  if (!running) {
    return say(context, `No tracker runs on ${station.label}`, 'stopped', {
      role: 'tracker',
      wasRunning: false,
    })
  }
  await station.prepare()
  await station.agent(['stop', tagOf(context)])
  const { pid = 0, port = 0 } = running
  say(context, `Stopped the tracker on ${station.label} (port ${port}, pid ${pid})`, 'stopped', {
    ...{ role: 'tracker', wasRunning: true, port, pid },
  })
}
