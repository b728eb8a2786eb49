export interface RunStatus {
  role: Role
  tag: string
  /** `lingering`: complete and still sharing. `died`: ended without saying why. */
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
  /** Content bytes sent. */
  sent?: number
  failure?: string
}

/**
 * Runs live in a run directory (0700), one folder each, named `<role>-<tag>`:
 * `state.json` (the process and its job), `events.ndjson` (its events) and `log` (its stdout and stderr).
 * The folder is also the lease: a process whose folder is gone ends.
 */
export type Role = 'tracker' | 'seeder' | 'peer'

/** The array that `murder status --json` printed. */
export function parseRuns(text: string): RunStatus[] {
  for (const line of text.split('\n')) {
    if (!line.startsWith('[')) continue
    try {
      return JSON.parse(line) as RunStatus[]
    } catch {
      // Not JSON after all: another program printed this line.
    }
  }
  return []
}

export const runsNow = ({ state }: RunStatus): boolean =>
  state === 'starting' || state === 'running' || state === 'lingering'
