import type { Timeouts } from '../runs/job.ts'

export type Verdict = 'connect' | 'stall' | 'total'

/** What a peer has done so far; times are milliseconds of one monotonic clock. */
export interface Vitals {
  now: number
  started: number
  /** When it began to look for others: it checks first what is there already. */
  connecting: number
  /** When `bytes` last grew. */
  progressed: number
  foundContent: boolean
  /** The tracker answers and no peer's address was given: the others may just not have been started yet. */
  mayStillCome: boolean
  complete: boolean
}

/** Which of the peer's timeouts has run out, if any. Lingering after completion is nobody's business here. */
export function verdict(vitals: Vitals, timeouts: Timeouts): Verdict | undefined {
  if (vitals.complete) return undefined
  const over = (since: number, seconds: number) => seconds > 0 && vitals.now - since >= seconds * 1000
  if (over(vitals.started, timeouts.total)) return 'total'
  // Who never met anybody with content hasn't stalled: it has the wrong address, or a firewall.
  if (!vitals.foundContent && !vitals.mayStillCome && over(vitals.connecting, timeouts.connect))
    return 'connect'
  if (over(vitals.progressed, timeouts.stall)) return vitals.foundContent ? 'stall' : 'connect'
  return undefined
}
