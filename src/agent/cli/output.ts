import type { Writable } from 'node:stream'
import { ExitCode, isSystemError } from '../../errors.ts'
import { jsonLine, withoutCommands } from '../../text/ci-commands.ts'
import { withoutControls } from '../../text/format.ts'

/** An ending process waits at most this long for a reader. */
const FLUSH_MS = 2000

const onBroken = new Set<() => void>()

/**
 * A reader that goes away (`| head`, a dropped SSH connection) is no error of ours: the callbacks of `whenReaderLeaves` are
 * called, or, if there are none, the process ends quietly. A background process writes to files and has no reader.
 */
export function survivePipes(): void {
  const left = (error: Error) => {
    if (!isSystemError(error, 'EPIPE', 'ECONNRESET', 'EIO', 'ERR_STREAM_DESTROYED')) throw error
    if (onBroken.size === 0) process.exit(ExitCode.interrupted)
    for (const callback of onBroken) callback()
  }
  process.stdout.on('error', left)
  process.stderr.on('error', left)
}

export function whenReaderLeaves(callback: () => void): void {
  onBroken.add(callback)
}

/** Names in torrents and errors are others' text: it is no command to a terminal, nor to a CI. */
const shown = (text: string) => `${withoutCommands(withoutControls(text))}\n`

export function printOut(text: string): void {
  process.stdout.write(shown(text))
}

export function printError(text: string): void {
  process.stderr.write(shown(text))
}

/** One line of JSON on stdout. */
export function printJson(value: unknown): void {
  process.stdout.write(jsonLine(value))
}

/** Ends the process once its output is written, or nobody reads it any more. */
export async function end(exitCode: number): Promise<never> {
  const flush = (stream: Writable) =>
    new Promise<void>((resolve) => {
      if (stream.destroyed || stream.writableLength === 0) resolve()
      else stream.write('', () => resolve())
    })
  const late = new Promise<void>((resolve) => {
    setTimeout(resolve, FLUSH_MS).unref()
  })
  await Promise.race([Promise.all([flush(process.stdout), flush(process.stderr)]), late])
  process.exit(exitCode)
}
