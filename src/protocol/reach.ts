import type { Endpoint } from '../system/addresses.ts'

/** Does this machine reach these? A peer must also answer a handshake. */
export interface ReachQuestion {
  reach: (Endpoint & { isPeer: boolean })[]
}

/** The result of a connection attempt. `mute`: it opened, but no handshake was answered. */
export type Reached = 'reached' | 'silent' | 'refused' | 'failed' | 'mute'

export const REACHED_WORDS: readonly Reached[] = ['reached', 'silent', 'refused', 'failed', 'mute']
