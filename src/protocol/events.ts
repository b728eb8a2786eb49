import type { Answers } from './questions.ts'

/** What a new release keeps from the current one besides its own content. */
export interface Carried {
  files: number
  bytes: number
  /** The first of the topmost paths, safe to print, and how many more there are. */
  names: string[]
  more: number
  /** Paths that could not be carried, and why. */
  skipped: string[]
}

/** An event names at most so many sources. */
export const MAX_SOURCES = 8

/** The sources that sent most content bytes so far: `seeder`, `host:port` of a peer, or its host. */
export type ContentSources = [source: string, bytes: number][]

/** Events of a peer, a seeder or a tracker, oldest first. `bytes` count content, not protocol overhead. */
export type AgentEvent =
  /** The agent waits for its order; sent repeatedly. */
  (
    | { event: 'ready' }
    /** The answer to a question before the order. */
    | { event: 'answered'; answer: Answers[keyof Answers] }
    | { event: 'listening'; port: number; pid: number; url?: string; infoHash?: string }
    | {
        event: 'progress'
        bytes: number
        total: number
        down: number
        up: number
        peers: number
        sent?: number
        /** How many of `bytes` were here and verified before anything was fetched. */
        kept?: number
        /** At most every two seconds. */
        from?: ContentSources
      }
    /** A peer sent wrong bytes and is banned. */
    | { event: 'banned'; address: string }
    | {
        event: 'downloaded'
        bytes: number
        total: number
        seconds: number
        /** Verified bytes that were here before anything was fetched. */
        kept: number
        received: number
        /** How many bytes of `received` came from the seeder. */
        fromSeeder: number
        sent: number
        from?: ContentSources
      }
    /**
     * Where a complete transfer of a deploy has lost time. Seconds; `began` and `ended` on the clock of its process. Rates are of
     * the fastest half second, in bytes a second. `afterGap` and `sentAgain` are shares of the machine's TCP segments.
     */
    | {
        event: 'profile'
        began: number
        ended: number
        cpu: number
        /** The sum of the times in which its threads were ready to run and had no CPU. */
        queued: number
        disk: number
        stopped: number
        peakDown: number
        peakUp: number
        /** What the disk gave while others waited for it. Absent if all that they asked for was in memory. */
        readRate?: number
        afterGap: number
        sentAgain: number
        /** Bytes that came over the machine's network meanwhile, others' too. */
        arrived: number
        /** The last piece, its source and its time. */
        last?: [piece: number, source: string, at: number]
        pieceCount: number
        every: number
        /** As in packed-pieces.ts. */
        pieces: string
      }
    /** Seconds of CPU used, and of waiting for a CPU, from the beginning of the transfer until the release was made. */
    | { event: 'spent'; cpu: number; queued: number }
    /** The delta from this base to the release with this id is made. `unchanged`: the two differ only in times. */
    | { event: 'made'; base: string; becomes: string; unchanged: boolean }
    /** The release has been read, so its files are no longer needed. */
    | { event: 'read' }
    /** Why the delta of this base cannot be made. */
    | { event: 'unmade'; base: string; message: string }
    /** Something that people should know but that is not a failure. */
    | { event: 'warning'; message: string }
    /** Unpacking what had arrived has failed, and begins anew when all is here. */
    | { event: 'again'; message: string }
    /** Complete and verified: printed as `Done and done` for people. */
    | { event: 'done' }
    | { event: 'unpacked'; files: number; bytes: number; seconds: number; carried?: Carried }
    | { event: 'failed'; code: string; message: string; cure?: string; exitCode: number; step?: string }
  ) & {
    /** The time of the event, in a deploy: seconds on the clock of the process. */
    at?: number
  }

export function eventsIn(stdout: string): AgentEvent[] {
  return stdout.split('\n').flatMap((line) => parseEvent(line) ?? [])
}

/**
 * The agent's event in a line of its output or log; undefined for anything else, such as other output of the server. Only the
 * shape is checked: an object with a name. Its fields are untrusted.
 */
export function parseEvent(line: string): AgentEvent | undefined {
  const text = line.trim()
  if (!text.startsWith('{')) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return isEvent(value) ? value : undefined
  } catch {
    return undefined // not JSON after all: noise, or a line that was cut short
  }
}

function isEvent(value: unknown): value is AgentEvent {
  return typeof value === 'object' && value !== null && 'event' in value && typeof value.event === 'string'
}
