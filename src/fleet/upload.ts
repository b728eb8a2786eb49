import type { Readable } from 'node:stream'
import { sha256Of } from '../files/hash.ts'
import { quote, quotePath } from '../text/shell-quote.ts'
import type { RunOptions } from './command.ts'
import type { Fleet } from './fleet.ts'
import type { Server } from './ssh/server.ts'

/** A file's content: in memory, or read anew for every attempt. `bytes` is its exact size, `sha256` in hex. */
export type Content = Buffer | { bytes: number; sha256?: string; open: () => Readable }

export interface Upload {
  content: Content
  /** Path on the server. Its directory is made when it is missing. */
  to: string
  /** Permission bits, such as 0o755. */
  mode: number
  /** Names the work in messages. */
  step?: string
}

/**
 * Puts a file on a server. The file is written beside `to`. It is renamed when its size is right, and its SHA-256 if the server
 * has a tool for that. So `to` is always the old file or the whole new one. Throws that server's failure.
 */
export async function upload(
  fleet: Fleet,
  server: Server,
  file: Upload,
  options: Omit<RunOptions, 'servers'> = {},
): Promise<void> {
  const { content } = file
  const whole = Buffer.isBuffer(content)
  const script = uploadScript({
    to: file.to,
    mode: file.mode,
    bytes: whole ? content.length : content.bytes,
    sha256: whole ? sha256Of(content) : content.sha256,
  })
  const stdin = whole ? content : () => content.open()
  await fleet.one(server, file.step ?? 'upload', { script, stdin }, options)
}

/** The script that takes the content on standard input. */
function uploadScript(file: {
  to: string
  mode: number
  bytes: number
  sha256?: string | undefined
}): string {
  const slash = file.to.lastIndexOf('/')
  const directory = quotePath(slash === -1 ? '.' : file.to.slice(0, slash) || '/')
  const digest = file.sha256 ?? ''
  return [
    `to=${quotePath(file.to)}`,
    `directory=${directory}`,
    'fail() { echo "$1" >&2; exit 1; }',
    '[ ! -d "$to" ] || fail "$to is a directory"',
    'mkdir -p "$directory" || exit 1',
    'part="$to.$$.part"',
    `trap 'rm -f "$part"' EXIT`,
    '( umask 077; cat > "$part" ) || exit 1',
    `[ "$(wc -c < "$part")" -eq ${file.bytes} ] || fail "the upload arrived incomplete"`,
    digestCheck(digest),
    `chmod ${file.mode.toString(8)} "$part" && mv -f "$part" "$to"`,
  ].join('; ')
}

function digestCheck(sha256: string): string {
  return [
    'found=',
    'if command -v sha256sum >/dev/null 2>&1; then found=$(sha256sum < "$part")',
    'elif command -v shasum >/dev/null 2>&1; then found=$(shasum -a 256 < "$part"); fi',
    `want=${quote(sha256)}`,
    // Without a known SHA-256 `want` is empty and matches anything.
    '[ -z "$found" ] || case "$found" in "$want"*) ;; *) fail "the upload arrived damaged" ;; esac',
  ].join('; ')
}
