import { MurderError } from '../../errors.ts'
import { type RunStatus, runsNow } from '../../protocol/run-status.ts'
import { probeTracker } from '../../torrent/tracker/probe.ts'
import type { Context } from '../context/context.ts'
import {
  externalTracker,
  hasOwnTracker,
  shownTracker,
  startAt,
  trackerStationOf,
} from '../hosts/placement.ts'
import { keyValueLines, say } from '../outcome/say.ts'
import { permitsPath, putPermits } from '../swarm/permits.ts'

/** All environments of a project that have the same port share its tracker. */
const tagOf = ({ settings }: Context) => `port-${settings.tracker.port}`

export async function findTracker(context: Context): Promise<RunStatus | undefined> {
  const runs = await trackerStationOf(context).status()
  return runs.find((run) => run.role === 'tracker' && run.tag === tagOf(context) && runsNow(run))
}

/**
 * Starts a tracker if none runs at its station, which has been prepared; undefined when the settings want none or one
 * elsewhere. Throws PORT_TAKEN when another program has the port.
 */
export async function ensureTracker(
  context: Context,
): Promise<{ port: number; pid: number; runsAlready: boolean } | undefined> {
  if (!hasOwnTracker(context.settings)) return undefined
  const station = trackerStationOf(context)
  const running = await findTracker(context)
  const { port } = context.settings.tracker
  if (running?.port !== undefined) return { port: running.port, pid: running.pid ?? 0, runsAlready: true }
  try {
    await putPermits(context)
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
  if (!hasOwnTracker(context.settings)) return sayElsewhere(context)
  const station = trackerStationOf(context)
  const own = await station.prepare()
  const started = await ensureTracker(context)
  if (!started) return
  const { port, pid, runsAlready } = started
  const url = shownTracker(context, port, own)
  say(
    context,
    keyValueLines(
      runsAlready ? `The tracker runs already on ${station.label}` : `Tracker is running on ${station.label}`,
      [
        ['url', url ?? ''],
        ['pid', String(pid)],
        ['stop', `npx shipit ${context.shipit.environment} murder:stop_tracker`],
      ],
    ),
    'tracker',
    { url, port, pid, runsAlready },
  )
}

/** Whoever runs a tracker elsewhere starts it; here it is only said whether it can be reached. */
async function sayElsewhere(context: Context): Promise<void> {
  const url = externalTracker(context.settings.tracker)
  if (url === undefined)
    return say(context, 'There is to be no tracker (murder.tracker.at)', 'tracker', { url: null })
  const why = await probeTracker(url)
  if (why !== undefined) {
    throw new MurderError('TRACKER', `The tracker ${url} cannot be reached from here: ${why}`, {
      cure: 'start it, or set murder.tracker.at to another one',
    })
  }
  say(context, `The tracker is ${url}, which is not started from here`, 'tracker', { url, runsAlready: true })
}

/** `murder:stop_tracker` */
export async function stopTracker(context: Context): Promise<void> {
  const station = trackerStationOf(context)
  const running = await findTracker(context)
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
