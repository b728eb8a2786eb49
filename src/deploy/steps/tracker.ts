import { MurderError } from '../../errors.ts'
import { type RunStatus, runsNow } from '../../protocol/run-status.ts'
import { probeTracker } from '../../torrent/tracker/probe.ts'
import type { TaskContext } from '../context/context.ts'
import { shipitCommand } from '../context/shipit-command.ts'
import { prepareHosts, taskHosts } from '../hosts/hosts.ts'
import { Placement, trackerPortArgs } from '../hosts/placement.ts'
import { keyValueLines, say } from '../outcome/say.ts'
import { putPermits } from '../swarm/permits.ts'

/** All environments of a project that have the same port share its tracker. */
const tagOf = ({ settings }: Pick<TaskContext, 'settings'>) => `port-${settings.tracker.port}`

export async function findTracker(context: TaskContext): Promise<RunStatus | undefined> {
  const runs = await taskHosts(context).tracker.status()
  return runs.find((run) => run.role === 'tracker' && run.tag === tagOf(context) && runsNow(run))
}

/** Starts a tracker on its prepared host, if none runs. Throws PORT_TAKEN when another program has the port. */
export async function ensureTracker(
  context: TaskContext,
): Promise<{ port: number; pid: number; runsAlready: boolean }> {
  const running = await findTracker(context)
  if (running?.port !== undefined) return { port: running.port, pid: running.pid ?? 0, runsAlready: true }
  const { settings } = context
  const host = taskHosts(context).tracker
  try {
    const permits = ['--permits', await putPermits(context)]
    const args = [...trackerPortArgs(settings), ...permits, '--tag', tagOf(context)]
    return { ...(await host.launch('tracker', args)), runsAlready: false }
  } catch (error) {
    if (!(error instanceof MurderError) || error.code !== 'PORT_TAKEN') throw error
    const [first, last] = settings.trackerPorts
    const ports = first === last ? `Port ${first}` : `Every port from ${first} to ${last}`
    throw new MurderError('PORT_TAKEN', `${ports} on ${host.label} is taken by another program`, {
      cure: 'stop it, or set murder.tracker.port to another port',
      cause: error,
    })
  }
}

/** `murder:start_tracker` */
export async function startTracker(context: TaskContext): Promise<void> {
  const { hasOwnTracker, externalTracker } = new Placement(context)
  if (!hasOwnTracker) return sayElsewhere(context, externalTracker)
  const host = taskHosts(context).tracker
  const facts = await prepareHosts(context, host)
  const { port, pid, runsAlready } = await ensureTracker(context)
  const url = new Placement(context, facts, port).shownTracker()
  const heading = `${runsAlready ? 'The tracker runs already' : 'Tracker is running'} on ${host.label}`
  const text = keyValueLines(heading, [
    ['url', url ?? ''],
    ['pid', String(pid)],
    ['stop', shipitCommand(context.shipit.environment, 'murder:stop_tracker')],
  ])
  say(context, text, 'tracker', { url, port, pid, runsAlready })
}

/** An external tracker cannot be started from here. This only says whether it can be reached. */
async function sayElsewhere(
  context: Pick<TaskContext, 'display' | 'shipit'>,
  url: string | undefined,
): Promise<void> {
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
export async function stopTracker(context: TaskContext): Promise<void> {
  const host = taskHosts(context).tracker
  const running = await findTracker(context)
  const role = 'tracker'
  if (!running)
    return say(context, `No tracker runs on ${host.label}`, 'stopped', { role, wasRunning: false })
  await prepareHosts(context, host)
  await host.run(['stop', tagOf(context)])
  const { pid = 0, port = 0 } = running
  const text = `Stopped the tracker on ${host.label} (port ${port}, pid ${pid})`
  say(context, text, 'stopped', { role, wasRunning: true, port, pid })
}
