import type { Timeouts } from '../runs/job.ts'

export type Verdict = 'connect' | 'stall' | 'total' | 'wrong'

/** Another peer may have what the seeder lacks. It gets this much time. */
const WRONG_TIMEOUT_S = 5

/** How far a peer has come; times are milliseconds of one monotonic clock. */
export interface Vitals {
  now: number
  started: number
  /** When it began to look for others, after it had checked the content that is there already. */
  connecting: number
  /** When `bytes` last grew. */
  progressed: number
  foundContent: boolean
  /** When anything last came over the network. */
  received: number
  /** Our seeder was banned: it has other content than the torrent says. */
  seederIsWrong: boolean
  /** The tracker answers but names no peers: the others may not have started yet. */
  mayStillCome: boolean
  complete: boolean
}

/** Which of the peer's timeouts has run out, if any. After completion none does. */
export function verdict(vitals: Vitals, timeouts: Timeouts): Verdict | undefined {
  if (vitals.complete) return undefined
  const over = (since: number, seconds: number) => seconds > 0 && vitals.now - since >= seconds * 1000
  if (over(vitals.started, timeouts.total)) return 'total'
  if (vitals.seederIsWrong && over(vitals.received, WRONG_TIMEOUT_S)) return 'wrong'
  // A peer that never met another with content hasn't stalled: it has the wrong address, or a firewall.
  if (!vitals.foundContent && !vitals.mayStillCome && over(vitals.connecting, timeouts.connect))
    return 'connect'
  if (over(vitals.progressed, timeouts.stall)) return vitals.foundContent ? 'stall' : 'connect'
  return undefined
}
