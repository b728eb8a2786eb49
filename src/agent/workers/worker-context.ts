import type { AgentEvent } from '../../protocol/events.ts'
import type { Participant } from '../../torrent/participant.ts'
import type { PeerLinks } from '../../torrent/peers/dialing/peer-links.ts'

/** What `work` gives to a seeder, peer or tracker. */
export interface WorkerContext {
  /** The run's own folder, which goes with it. */
  folder: string
  emit(event: AgentEvent): void
  /** Tells followers and the run directory where this process can be reached. */
  listening(at: { port: number; infoHash?: string; url?: string }): void
  /** Resolves when the process shall end: a signal, or the lease is gone. */
  stopped: Promise<void>
  isStopped(): boolean
  /** Called with each piece that is verified and on disk. */
  onPiece?: ((piece: number) => void) | undefined
  /** Whether those pieces make work here. */
  isBusy?: (() => boolean) | undefined
  /** Connections to some of the peers over SSH. */
  links?: PeerLinks | undefined
  /** Called by a peer when its content is complete, before it says so. */
  onComplete?: ((participant: Participant) => void) | undefined
}

/** How long a worker may take to close its connections. */
export const CLOSE_TIMEOUT_S = 3

/** Waits for seconds; forever when undefined. Does not keep the process alive. */
export function delay(seconds: number | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (seconds !== undefined) setTimeout(resolve, seconds * 1000).unref()
  })
}
