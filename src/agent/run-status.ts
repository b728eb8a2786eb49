import { lastEvents } from './event-log.ts'
import { isAlive, type Role, type Run } from './run-directory.ts'

export interface RunStatus {
  role: Role
  tag: string
  /** `lingering`: complete and sharing on. `died`: ended without a word. */
  state: 'starting' | 'running' | 'lingering' | 'failed' | 'died'
  /** Seconds since the start. */
  age: number
  infoHash?: string
  path?: string
  url?: string
  port?: number
  pid?: number
  bytes?: number
  total?: number
  /** Bytes a second. */
  down?: number
  up?: number
  peers?: number
  /** Content bytes that it has sent. */
  sent?: number
  failure?: string
}

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
