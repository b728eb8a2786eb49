import type { Answers } from './questions.ts'

/** What a new release has from the current one besides its own content. */
export interface Carried {
  files: number
  bytes: number
  /** The first of the topmost paths, safe to print, and how many more there are. */
  names: string[]
  more: number
  /** What could not be carried, and why. */
  skipped: string[]
}

/** Sources that an event names at most. */
export const MAX_SOURCES = 8

/** The sources of most content bytes so far: `seeder`, `host:port` of a peer, or its host. */
export type ContentSources = [source: string, bytes: number][]

/** Events of a peer, a seeder or a tracker, oldest first. `bytes` count content, not protocol overhead. */
export type AgentEvent =
  /** The agent waits for its order; sent again and again. */
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
        /** How many of `bytes` were there and verified before anything was fetched. */
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
        /** Verified bytes that were there before anything was fetched. */
        kept: number
        received: number
        /** How many bytes of `received` came from the seeder. */
        fromSeeder: number
        sent: number
        from?: ContentSources
      }
    /**
     * What held up a transfer that is complete now, in a deploy. Seconds; `began` and `ended` on the clock of its process. Rates
     * in bytes a second, the fastest half second. `afterGap` and `sentAgain` are shares of the machine's TCP segments.
     */
    | {
        event: 'profile'
        began: number
        ended: number
        cpu: number
        /** Its threads, added up, were ready to run and had no CPU. */
        queued: number
        disk: number
        stopped: number
        peakDown: number
        peakUp: number
        afterGap: number
        sentAgain: number
        /** The last piece, from whom it came and when. */
        last?: [piece: number, source: string, at: number]
        pieceCount: number
        every: number
        /** As in packed-pieces.ts. */
        pieces: string
      }
    /** CPU seconds used, and waited for, from the beginning of the transfer until the release was made. */
    | { event: 'spent'; cpu: number; queued: number }
    /** A delta of this base is made, which makes the release with this id. `unchanged`: the two differ in nothing but times. */
    | { event: 'made'; base: string; becomes: string; unchanged: boolean }
    /** What is kept was read: the new release's files are not needed any more. */
    | { event: 'read' }
    /** That delta cannot be made: why. */
    | { event: 'unmade'; base: string; message: string }
    /** Something that people should know and that is no failure. */
    | { event: 'warning'; message: string }
    /** Complete and verified: printed as `Done and done` for people. */
    | { event: 'done' }
    | { event: 'unpacked'; files: number; bytes: number; seconds: number; carried?: Carried }
    | { event: 'failed'; code: string; message: string; cure?: string; exitCode: number; step?: string }
  ) & {
    /** When it was said, in a deploy: seconds on the clock of the process. */
    at?: number
  }

export function eventsIn(stdout: string): AgentEvent[] {
  return stdout.split('\n').flatMap((line) => parseEvent(line) ?? [])
}

/**
 * The agent's event in a line of its output or of its log; undefined for anything else, such as what a server prints in between.
 * Only the shape is checked: an object with a name. The fields are not to be trusted.
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
