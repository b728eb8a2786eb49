import { ExitCode, MurderError } from '../errors.ts'

/** `process.stdout` or a stand-in. */
export interface OutputStream {
  write(text: string): unknown
  isTTY?: boolean | undefined
  columns?: number | undefined
  rows?: number | undefined
}

/** terminal: redrawn in place. plain: lines for a log. json: one event on each line. */
export type OutputMode = 'terminal' | 'plain' | 'json'

/**
 * How to write to `stream`. `MURDER_OUTPUT=json` takes precedence; else a terminal that can move its cursor is redrawn.
 * @throws MurderError SETTINGS when `MURDER_OUTPUT` is neither text nor json.
 */
export function outputMode(env: NodeJS.ProcessEnv, stream: OutputStream): OutputMode {
  const wanted = env.MURDER_OUTPUT || 'text'
  if (wanted === 'json') return 'json'
  if (wanted !== 'text') {
    const shown = JSON.stringify(wanted.slice(0, 60))
    throw new MurderError('SETTINGS', `MURDER_OUTPUT is ${shown}: allowed: text, json`, {
      exitCode: ExitCode.usage,
    })
  }
  return stream.isTTY && env.TERM !== 'dumb' ? 'terminal' : 'plain'
}

/** A log has no width of its own, so it gets this one. */
const LOG_COLUMNS = 100
/** Width of a terminal that does not know its size. */
const TERMINAL_COLUMNS = 80

/** How wide text on this stream may be. */
export function columnsOf({ columns, isTTY }: OutputStream): number {
  return columns || (isTTY ? TERMINAL_COLUMNS : LOG_COLUMNS)
}

/** Colours are for terminals, unless NO_COLOR (no-color.org) is set. */
export function wantsColour(env: NodeJS.ProcessEnv, stream: OutputStream): boolean {
  return Boolean(stream.isTTY) && !env.NO_COLOR && env.TERM !== 'dumb'
}

export interface Paint {
  good(text: string): string
  bad(text: string): string
}

const ansi = (start: number) => (text: string) => `\u001b[${start}m${text}\u001b[39m`
const asItIs = (text: string) => text

export function paint(colour: boolean): Paint {
  return colour ? { good: ansi(32), bad: ansi(31) } : { good: asItIs, bad: asItIs }
}
