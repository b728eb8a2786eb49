import type { Shipit } from '../../shipit.ts'
import { jsonLine } from '../../text/ci-commands.ts'
import { table } from '../../text/table.ts'
import { type Display, withoutProgress } from '../context/display.ts'

/** Prints the result of a step: text for people, or one line of JSON with MURDER_OUTPUT=json (docs/tasks.md). */
export function say(
  { display, shipit }: { display: Display; shipit: Shipit },
  text: string,
  event = 'log',
  fields: Record<string, unknown> = { message: text },
): void {
  display.finish()
  if (display.mode !== 'json') shipit.log(text)
  else process.stdout.write(jsonLine({ event, time: new Date().toISOString(), ...fields }))
}

/** The same context, without progress in a log. */
export const quietly = <C extends { display: Display }>(context: C): C => ({
  ...context,
  display: withoutProgress(context.display),
})

/** A heading and indented lines of a name and a value each. */
export function keyValueLines(heading: string, rows: readonly (readonly [string, string])[]): string {
  return `${heading}\n${table(rows.map(([name, value]) => [`  ${name}`, value]))}`
}

/** `3 servers`, `1 server`. */
export const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`
