import { quote } from '../../text/shell-quote.ts'

/**
 * The text of every remote command. It has no values in it, because ssh-pool escapes only `"` and `$`, and the server's login
 * shell may be anything. The first line of standard input is the script, and the rest is the script's own input: `read` takes
 * a pipe byte by byte, so it leaves the rest alone. A line without its newline was cut off and must not run.
 */
export const READ_AND_RUN = 'IFS= read -r s && eval "$s"'

/** With `asUser`, ssh-pool itself wraps the command in `sudo -u USER bash -c '…'`. */
export function remoteCommand(asUser: boolean): string {
  return asUser ? READ_AND_RUN : `sh -c '${READ_AND_RUN}'`
}

/** Printed on both outputs when a script starts. All that comes before it is the server's greeting. */
export const START_MARK = '>>> murder starts here >>>'

/** The first line of standard input for `script`, newline included. */
export function scriptLine(script: string): Buffer {
  return Buffer.from(
    `x=${quote(START_MARK)}; printf '\\n%s\\n' "$x"; printf '\\n%s\\n' "$x" >&2; ${oneLine(script)}\n`,
  )
}

/** `printf %b` turns the escapes back: a builtin everywhere, where `base64` may be missing. */
export function oneLine(script: string): string {
  if (!script.includes('\n')) return script
  return `eval "$(printf %b ${quote(escapeLines(script))})"`
}

/** Text as one line, which `printf %b` turns back. */
export const escapeLines = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
