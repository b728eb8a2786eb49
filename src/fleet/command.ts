import type { MurderError } from '../errors.ts'
import type { Server } from './ssh/server.ts'
import type { Payload } from './ssh/session.ts'

/** What to run on one server. `script` is POSIX sh, its values quoted with `quote`. */
export interface Command {
  script: string
  /** The script's standard input. A function is called for every attempt. */
  stdin?: Payload
  /** Gets stdout line by line; stdout in the outcome is then empty. An error that it throws becomes this server's failure. */
  onLine?: (line: string) => void
  /** The same as bytes, without a limit on their number. */
  onBytes?: (chunk: Buffer) => void
}

export interface RunOptions {
  /** 0 is no limit. `stallTimeoutS`: no byte in any direction. `totalTimeoutS`: since the server's turn came. */
  connectTimeoutS?: number
  stallTimeoutS?: number
  totalTimeoutS?: number
  /** Ends all commands; their servers' outcomes are then failures, with the signal's reason if that is a MurderError. */
  signal?: AbortSignal
  /** Where to run it; on all servers that take part unless given. */
  servers?: readonly Server[]
  /** The script may run twice: it is run again when the connection broke, or no process could be started, while it ran. */
  repeatable?: boolean
  /** It runs until its input ends. If it makes the server's first connection, all other commands share that. */
  stays?: boolean
  /** As the user who logs in, not as `asUser`. */
  login?: boolean
  /** Over a new connection, which nothing else uses. */
  isNew?: boolean
  /** How much stdout is kept for each server; more is a failure. */
  maxOutputBytes?: number
}

export type Outcome =
  | { server: Server; ok: true; stdout: string; stderr: string }
  | { server: Server; ok: false; error: MurderError }
