import type { SessionResult } from './session.ts'

/** A script for a shell that is there already, as for a session of its own. */
export interface FurtherScript {
  script: string
  onLine?: ((line: string) => void) | undefined
  /** Seconds; 0 is no limit. */
  totalTimeout: number
  /** Most characters of stdout that are kept. */
  maxOutput: number
  signal: AbortSignal
}

/** A shell on a server that stays, and runs scripts, one at a time. */
export interface StandingShell {
  /** Undefined when it is at another one or has ended, also meanwhile: then it is not known what the script has done. */
  run(script: FurtherScript): Promise<SessionResult | undefined>
  /** Settles when it does not stay any more. */
  readonly ended: Promise<unknown>
}
