import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { AgentEvent } from '../../protocol/events.ts'
import { parseQuestion } from '../../protocol/questions.ts'
import { printJson, whenReaderLeaves } from '../cli/output.ts'
import { Preparation } from './preparation.ts'

/**
 * The plugin at the other end of an SSH connection. It sends its order as one line, hears events, and says `end` when
 * the transfer is over on all servers. The end of standard input alone says nothing.
 */
export interface Follower {
  /** The first line that is not empty; empty ones only say that the plugin is still there. */
  readonly order: Promise<string>
  /** Questions that came before the order. */
  readonly preparation: Preparation
  /** Milliseconds since the last byte from the plugin. */
  silence(): number
  /**
   * For how many seconds the plugin has been suspended: connected, but silent. The seeder beside it, perhaps the only one, is
   * then suspended too. 0 when it is not suspended; always 0 for an older plugin, which sends no signs of life.
   */
  suspended(): number
  /** Whether nothing follows this process, as far as it knows, though it was not told to end: the deploy may come back. */
  isLost(): boolean
  /** Aborted when the follower has left: the connection broke, or a newer process has taken over. */
  readonly left: AbortSignal
  /** Aborted when this process shall end now, by the follower's word or by a signal. */
  readonly stop: AbortSignal
  say(event: AgentEvent): void
}

const END = 'end'
/** After the order an empty line comes every two seconds. */
const SUSPENDED_AFTER_MS = 6000
/** After so much silence the plugin is gone, though a connection that was never closed still looks open. */
const MAX_SUSPENDED_MS = 3_600_000

const say = (event: AgentEvent) => printJson(event)

export function followerOf(input: Readable): Follower {
  const left = new AbortController()
  const stop = new AbortController()
  process.on('SIGHUP', () => left.abort())
  whenReaderLeaves(() => left.abort())
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort())
  const preparation = new Preparation()
  let first: ((line: string) => void) | undefined
  const order = new Promise<string>((resolve) => {
    first = resolve
  })
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })
  let heard = performance.now()
  let pulses = false
  const silence = () => performance.now() - heard
  lines.on('line', (line) => {
    heard = performance.now()
    if (line === '') {
      pulses = first === undefined
      return
    }
    const question = first && parseQuestion(line)
    if (question)
      return void preparation
        .answer(question)
        .catch((error: Error) => ({ why: error.message }))
        .then((answer) => say({ event: 'answered', answer }))
    if (first) first(line)
    else if (line === END) stop.abort()
    first = undefined
  })
  let isClosed = false
  lines.on('close', () => {
    isClosed = true
    first?.('')
  })
  if (input.readableEnded) lines.close() // no `close` would come any more
  input.on('error', () => {}) // the same as its end
  return {
    order,
    preparation,
    silence,
    suspended() {
      const silentMs = silence()
      const isSilent = silentMs > SUSPENDED_AFTER_MS && silentMs < MAX_SUSPENDED_MS
      return pulses && isSilent && !left.signal.aborted ? silentMs / 1000 : 0
    },
    isLost() {
      return !stop.signal.aborted && (left.signal.aborted || isClosed || silence() > SUSPENDED_AFTER_MS)
    },
    left: left.signal,
    stop: stop.signal,
    say,
  }
}
