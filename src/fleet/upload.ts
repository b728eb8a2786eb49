import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { quote, quotePath } from '../text/shell-quote.ts'
import type { Fleet, Outcome, RunOptions } from './fleet.ts'

/** A file's content: in memory, or read anew for every attempt. `bytes` is its exact size, `sha256` in hex. */
export type Content = Buffer | { bytes: number; sha256?: string; open: () => Readable }

export interface Upload {
  content: Content
  /** Path on the server; its directory is made when it is missing. */
  to: string
  /** Permission bits, such as 0o755. */
  mode: number
  /** Names the work in messages. */
  step?: string
}

/**
 * Puts one file on servers. It is written beside its place under another name and renamed when size and, where the server
 * has a tool for it, SHA-256 are right: at `to` there is always the old file or the whole new one.
 */
export function upload(fleet: Fleet, file: Upload, options: RunOptions = {}): Promise<Outcome[]> {
  const { content } = file
  const whole = Buffer.isBuffer(content)
  const script = uploadScript({
    to: file.to,
    mode: file.mode,
    bytes: whole ? content.length : content.bytes,
    sha256: whole ? createHash('sha256').update(content).digest('hex') : content.sha256,
  })
  const stdin = whole ? content : () => content.open()
  return fleet.run(file.step ?? 'upload', () => ({ script, stdin }), options)
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
    // An empty `want` is the beginning of anything.
    '[ -z "$found" ] || case "$found" in "$want"*) ;; *) fail "the upload arrived damaged" ;; esac',
  ].join('; ')
}
