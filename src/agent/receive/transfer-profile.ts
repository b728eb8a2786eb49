import type { AgentEvent } from '../../protocol/events.ts'
import { packPieces } from '../../protocol/packed-pieces.ts'
import { defined } from '../../system/defined.ts'
import type { Participant } from '../../torrent/participant.ts'
import { mostArrived, ownLoad } from './own-load.ts'

/** Measures from now on what slows down this transfer. From that the plugin finds out why the last server was last. */
export class TransferProfile {
  readonly #begun = ownLoad()
  readonly #beganS = performance.now() / 1000

  /** The content is complete. */
  transferred({ profile: { arrivals, bottlenecks } }: Pick<Participant, 'profile'>): AgentEvent {
    const { cpu, queued, now } = this.#spent()
    const before = this.#begun
    const { pieceCount, every, last } = arrivals
    const [beganS, endedS] = [this.#beganS, performance.now() / 1000]
    return {
      event: 'profile',
      began: thousandths(beganS),
      ended: thousandths(endedS),
      cpu,
      queued,
      disk: thousandths(bottlenecks.diskS),
      stopped: thousandths(bottlenecks.stoppedS),
      peakDown: Math.round(bottlenecks.peakDown),
      peakUp: Math.round(bottlenecks.peakUp),
      ...defined({ readRate: bottlenecks.readRate && Math.round(bottlenecks.readRate) }),
      afterGap: share(now.afterGap - before.afterGap, now.received - before.received),
      sentAgain: share(now.sentAgain - before.sentAgain, now.sent - before.sent),
      arrived: mostArrived(before.arrived, now.arrived),
      ...(last ? { last: [last.piece, last.source, thousandths(last.atS)] } : {}),
      pieceCount,
      every,
      pieces: packPieces(arrivals.kept(), { beganS, endedS, every, pieceCount }),
    }
  }

  /** The release is made. */
  unpacked(): AgentEvent {
    const { cpu, queued } = this.#spent()
    return { event: 'spent', cpu, queued }
  }

  #spent() {
    const now = ownLoad()
    const cpu = thousandths(now.cpuS - this.#begun.cpuS)
    return { cpu, queued: thousandths(now.queuedS - this.#begun.queuedS), now }
  }
}

const thousandths = (value: number) => Math.round(value * 1000) / 1000
const share = (part: number, whole: number) => (whole > 0 ? thousandths(part / whole) : 0)
