import { ProgressBoard } from '../../report/board.ts'
import { table } from '../../text/table.ts'
import type { Context } from '../context/context.ts'

/** What a step has to say: text for people, or, with MURDER_OUTPUT=json, one line of JSON (docs/tasks.md). */
export function say(
  context: Context,
  text: string,
  event = 'log',
  fields: Record<string, unknown> = { message: text },
): void {
  context.finishBoard()
  if (context.mode !== 'json') context.shipit.log(text)
  else process.stdout.write(`${JSON.stringify({ event, time: new Date().toISOString(), ...fields })}\n`)
}

/**
 * The same context without the progress display in a log: for steps of a few seconds, which say at their end what they
 * did. A terminal and JSON show it all.
 */
export function quietly(context: Context): Context {
  if (context.mode !== 'plain') return context
  const stream = { write: () => true }
  const board = new ProgressBoard({ servers: [], mode: 'json', stream })
  board.finish()
  return { ...context, board: () => board }
}

/** A heading and indented lines of a name and a value each. */
export function facts(heading: string, rows: readonly (readonly [string, string])[]): string {
  return `${heading}\n${table(rows.map(([name, value]) => [`  ${name}`, value]))}`
}

/** `3 servers`, `1 server`. */
export const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`
