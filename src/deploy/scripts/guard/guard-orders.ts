import { oneLine, READ_AND_RUN } from '../../../fleet/ssh/bootstrap.ts'
import { quote } from '../../../text/shell-quote.ts'
import { SAY } from '../shell-functions.ts'
import { type Guard, guardProgram } from './guard-program.ts'
import { guardPath, READ_ABOUT } from './tell-guard-script.ts'

/** What a server has said of its guard. `none`: nothing was live before, and so there is nothing to guard. */
const ANSWERS = ['armed', 'none', 'confirmed', 'released', 'back'] as const
export type GuardAnswer = (typeof ANSWERS)[number]

/** What `line` of a server's output says of the guard. */
export function guardAnswer(line: string): GuardAnswer | undefined {
  return ANSWERS.find((answer) => line === `guard=${answer}`)
}

const begin = (remotePath: string) => `g=${guardPath(remotePath)}
${SAY}
${READ_ABOUT}`

/** Removes the rest of a guard that ended while it went back. This deploy has the lock, so no guard is going back now. */
const SWEEP = `if [ -d "$g.back" ]; then rm -rf "$g.back"; fi`

/** For `arm` of publishing without a guard: publishing removes the guard of another deploy. */
export const supersedeScript = (remotePath: string): string => `g=${guardPath(remotePath)}
if [ -d "$g" ]; then rm -rf "$g"; fi
${SWEEP}`

/**
 * For `arm` of publishing: starts the guard, or fails. Where the release is live already, because a deploy has ended in the middle of
 * this, the guard of that deploy knows what was before. `by`: who publishes.
 */
export const armScript = (guard: Guard, by: string): string => `${begin(guard.remotePath)}
${SWEEP}
about
if [ "$was" != "$r" ]; then former=$was; elif [ "$release" != "\${r##*/}" ]; then former=$r; fi
if [ "$t" = ${quote(guard.token)} ]; then
  rm -f "$g/silent"; say guard armed
elif [ "$former" = "$r" ]; then
  say guard none
else
  rm -rf "$g"
  mkdir "$g" && printf '%s\\n' ${quote(guard.token)} "\${r##*/}" "$former" ${quote(by)} >"$g/about" && true >"$g/silent" ||
    { rm -rf "$g"; cannot_write "$g.about"; }
  x=$(printf '%s\\n' ${quote(oneLine(guardProgram(guard)))} | setsid sh -c '${READ_AND_RUN}' 2>&1 &)
  [ "$x" = ready ] || { rm -rf "$g"; fail "no guard could be started: $x"; }
  say guard armed
fi`

/** From now on only a new connection counts. Says where that is too late. */
export const dueScript = (remotePath: string, token: string): string => `${begin(remotePath)}
about
if [ "$t" = ${quote(token)} ] && true >"$g/due"; then say guard armed; else say guard back; fi`

/** Over a new connection. From now on signs of life count again, as the rest of the rollout is still to come. */
export const confirmScript = (remotePath: string, token: string): string => `${begin(remotePath)}
about
if [ "$t" = ${quote(token)} ] && rm -f "$g/silent" "$g/due" && [ -d "$g" ]; then say guard confirmed; else say guard back; fi`

/** Takes the guard away, because its release stays. */
export const releaseScript = (remotePath: string, token: string): string => `${begin(remotePath)}
about
if [ "$t" = ${quote(token)} ] && mv "$g" "$g.$$" 2>/dev/null; then rm -rf "$g.$$"; say guard released; else say guard back; fi`

/** For `standDown` of going back: takes the guard away, or waits until it has gone back itself. */
export const standDownScript = (
  remotePath: string,
  token: string,
  waitS: number,
): string => `${releaseScript(remotePath, token)}
n=0; while [ -d "$g.back" ] && [ "$n" -lt ${waitS} ]; do sleep 1; n=$((n + 1)); done`
