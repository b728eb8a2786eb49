import type { RunStatus } from '../../protocol/run-status.ts'
import { lastEvents } from './event-log.ts'
import { isAlive, type Run } from './run-directory.ts'

/** What a run directory tells about a run. `now` in milliseconds since 1970. */
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
    ...(infoHash ? { infoHash } : {}),
    ...(path ? { path } : {}),
    ...(alive && url ? { url } : {}),
    ...(alive && port ? { port } : {}),
    ...(alive ? { pid } : {}),
    ...(progress ? withoutEvent(progress, alive) : {}),
    ...(failed ? { failure: failed.message } : {}),
  }
}

function withoutEvent(
  {
    bytes,
    total,
    down,
    up,
    peers,
    sent = 0,
  }: { bytes: number; total: number; down: number; up: number; peers: number; sent?: number },
  alive: boolean,
) {
  return alive ? { bytes, total, down, up, peers, sent } : { bytes, total, down: 0, up: 0, peers: 0, sent }
}
