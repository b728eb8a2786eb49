import type { AdmitQuestion, DialQuestion, LinkAnswers, OfferQuestion } from './link.ts'
import type { Reached, ReachQuestion } from './reach.ts'

/** Listen as a peer would, on the first free port of this range, until the order comes. */
export interface ListenQuestion {
  listen: [first: number, last: number]
}

/** Do handshakes pass over the loopback of this machine? */
export interface LoopbackQuestion {
  loopback: true
}

/** Questions to an agent that waits for its order. The agent answers one after the other, each with one event. */
export type Question =
  | ReachQuestion
  | ListenQuestion
  | LoopbackQuestion
  | OfferQuestion
  | AdmitQuestion
  | DialQuestion

/** The answers to these questions, by the question's key. */
export interface Answers extends LinkAnswers {
  reach: Reached[]
  loopback: boolean
  /** Undefined where no port is free. */
  listen: { port?: number }
}

const FIRST = '{"ask":'

/** The question as a line, which cannot be mistaken for an order. */
export const questionLine = (question: Question): string => `${JSON.stringify({ ask: question })}\n`

/** The question in a line, if it is one. */
export function parseQuestion(line: string): Question | undefined {
  if (!line.startsWith(FIRST)) return undefined
  try {
    return (JSON.parse(line) as { ask: Question }).ask
  } catch {
    return undefined
  }
}
