import { quote } from '../../text/shell-quote.ts'

/**
 * The text of every remote command. It holds no values: ssh-pool escapes only `"` and `$`, and the server's login shell
 * may be anything. The script comes as the first line of standard input, the rest is the script's own input; `read` takes
 * a pipe byte by byte, so it leaves the rest alone. A line without its newline was cut off and must not run.
 */
const readAndRun = 'IFS= read -r s && eval "$s"'

/** With `asUser`, ssh-pool itself wraps the command in `sudo -u USER bash -c '…'`. */
export function remoteCommand(asUser: boolean): string {
  return asUser ? readAndRun : `sh -c '${readAndRun}'`
}

/** Printed on both outputs when a script starts. What came before is the server's greeting, not the script's. */
export const startMark = '>>> murder starts here >>>'

/** The first line of standard input for `script`, newline included. */
export function scriptLine(script: string): Buffer {
  const marked = `printf '\\n%s\\n' ${quote(startMark)}; printf '\\n%s\\n' ${quote(startMark)} >&2; ${script}`
  return Buffer.from(`${oneLine(marked)}\n`)
}

/** `printf %b` turns the escapes back: a builtin everywhere, where `base64` may be missing. */
export function oneLine(script: string): string {
  if (!script.includes('\n')) return script
  const escaped = script.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
  return `eval "$(printf %b ${quote(escaped)})"`
}
