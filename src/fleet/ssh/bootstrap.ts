import { gzipSync } from 'node:zlib'
import { quote } from '../../text/shell-quote.ts'

/**
 * The text of every remote command. It has no values in it, because ssh-pool escapes only `"` and `$`, and the server's login
 * shell may be anything. The first line of standard input is the script, or reads it, and the rest is the script's own input:
 * `read` takes a pipe byte by byte, so it leaves the rest alone. A line without its newline was cut off and must not run.
 */
export const READ_AND_RUN = 'IFS= read -r s && eval "$s"'

/** With `asUser`, ssh-pool itself wraps the command in `sudo -u USER bash -c '…'`. */
export function remoteCommand(asUser: boolean): string {
  return asUser ? READ_AND_RUN : `sh -c '${READ_AND_RUN}'`
}

/** Printed on both outputs when a script starts. All that comes before it is the server's greeting. */
export const START_MARK = '>>> murder starts here >>>'

/** A shorter script travels as it is: it costs less than the two programs that unpack it. */
const MIN_PACKED_BYTES = 2048

/** A long script, compressed with gzip. */
export function pack(script: string): Buffer | undefined {
  const bytes = Buffer.from(script)
  return bytes.length < MIN_PACKED_BYTES ? undefined : gzipSync(bytes, { level: 9 })
}

/**
 * Shell text that reads a packed script of so many bytes from standard input and prints it. `dd` reads byte by byte and leaves the
 * rest of a pipe alone. It fails where something is missing, so that half a script never runs.
 */
export const unpack = (count: number | string): string => `dd bs=1 count=${count} 2>/dev/null | gzip -dc`

/** What goes to standard input for `script`: a line, and the script itself after it where that is long. */
export function scriptInput(script: string): Buffer {
  const marks = `printf '\\n%s\\n' ${quote(START_MARK)}; printf '\\n%s\\n' ${quote(START_MARK)} >&2`
  const packed = pack(script)
  if (!packed) return Buffer.from(`${marks}; ${oneLine(script)}\n`)
  return Buffer.concat([Buffer.from(`${marks}; s=$(${unpack(packed.length)}) && eval "$s"\n`), packed])
}

/** `printf %b` turns the escapes back: a builtin everywhere, where `base64` may be missing. */
export function oneLine(script: string): string {
  if (!script.includes('\n')) return script
  const escaped = script.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
  return `eval "$(printf %b ${quote(escaped)})"`
}
