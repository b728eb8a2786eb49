import { posix } from 'node:path'
import { quotePath } from '../../../text/shell-quote.ts'
import { parseValues } from '../values.ts'

/**
 * The directory of the guard, beside the lock, while the release is not confirmed; with `.back` at its end while the guard goes back.
 * `about` has lines: the token, the release, the link before it, who publishes it. `process` has the guard's pid and start time.
 * `silent` is there since the guard has last seen a sign of life, which removes it. `due` is there while only a new connection counts.
 */
export const guardPath = (remotePath: string): string => quotePath(posix.join(remotePath, 'guard'))

/** Sets `t`, `release`, `former` and `by` to what is known of a guard that has not gone back yet. */
export const READ_ABOUT = `about() {
  t=; release=; former=; by=
  { IFS= read -r t; IFS= read -r release; IFS= read -r former; IFS= read -r by; } 2>/dev/null <"$g/about"
}`

/** A release that a guard takes back, unless it is confirmed or another one is published. */
export interface Unconfirmed {
  release: string
  /** Who has published it, and when. */
  by: string
  /** The guard has ended, with the machine for example: the release stays. */
  isLost: boolean
}

/** Tells of the guard of a deploy that has ended, or has lost this server. Needs `say`, `started` and `still_runs`. */
export const tellGuardScript = (remotePath: string): string => `g=${guardPath(remotePath)}
${READ_ABOUT}
if [ -d "$g.back" ]; then g="$g.back"; fi
about
if [ -n "$release" ]; then
  say unconfirmed "$release"; say unconfirmed.by "$by"
  x=; { IFS= read -r x; } 2>/dev/null <"$g/process"
  [ -n "$x" ] && still_runs \${x% *} "\${x#* }" || say unconfirmed.lost yes
fi`

export function parseUnconfirmed(output: string): Unconfirmed | undefined {
  const values = parseValues(output)
  const release = values.get('unconfirmed')
  if (!release) return undefined
  return { release, by: values.get('unconfirmed.by') ?? '', isLost: values.has('unconfirmed.lost') }
}
