import type { AgentEvent } from '../../protocol/events.ts'
import type { RunStatus } from '../../protocol/run-status.ts'
import { defined } from '../../system/defined.ts'
import { lastEvents } from './event-log.ts'
import { isAlive, type Run } from './run-directory.ts'

/** The status of a run, from its directory. `now` in milliseconds since 1970. */
export function statusOf(run: Run, now: number): RunStatus {
  const { role, tag, pid, started, infoHash, path, url, port } = run.state
  const events = lastEvents(run.folder)
  const progress = events.findLast((event) => event.event === 'progress')
  const failed = events.findLast((event) => event.event === 'failed')
  const alive = isAlive(run)
  const has = (name: string) => events.some(({ event }) => event === name)
  const doing = has('done') ? 'lingering' : progress || has('listening') ? 'running' : 'starting'
  return {
    role,
    tag,
    state: alive ? doing : failed ? 'failed' : 'died',
    age: Math.max(0, Math.round((now - started) / 1000)),
    ...defined({ infoHash, path, failure: failed?.message }),
    ...(alive ? defined({ url, port, pid }) : {}),
    ...(progress && progressOf(progress, alive)),
  }
}

function progressOf(
  { bytes, total, down, up, peers, sent = 0 }: AgentEvent & { event: 'progress' },
  alive: boolean,
) {
  return { bytes, total, sent, ...(alive ? { down, up, peers } : { down: 0, up: 0, peers: 0 }) }
}
