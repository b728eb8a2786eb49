import type { Endpoint } from '../system/addresses.ts'

/** A line to an agent that waits for its order: does this machine reach these? */
export interface ReachQuestion {
  reach: (Endpoint & { isPeer: boolean })[]
}

/** How a connection ended that was tried. `mute`: it opened, and no handshake was answered. */
export type Reached = 'reached' | 'silent' | 'refused' | 'failed' | 'mute'

/** The question in a line, if it is one. */
export function parseQuestion(line: string): ReachQuestion | undefined {
  if (!line.startsWith('{"reach":')) return undefined
  try {
    return JSON.parse(line) as ReachQuestion
  } catch {
    return undefined
  }
}
