import { quote, quotePath } from '../../text/shell-quote.ts'

/** The user's own shell text, and where and with which variables it runs. */
export interface UserCommand {
  /** One after the other, until one fails. */
  commands: readonly string[]
  /** Runs in the first of these directories that exists. */
  within: readonly string[]
  env: Readonly<Record<string, string>>
  /** After so many seconds all that it has started is ended, if nobody has done so before; 0 is no limit. */
  timeoutS?: number
}

/**
 * Shell functions `watch SECONDS`, which ends what the shell that calls it has started and not ended by then, and `watched`, which
 * stops that. A command that was given up must not go on: it would take a server out of service, or restart it, when nobody expects
 * that any more. A shell that is stopped begins nothing new. What a command has left in the background is not ended. A pid is told
 * by a child, because `$$` is that of the shell that this one is a part of.
 */
const WATCH = `pid_of_this() { exec sh -c 'echo $PPID'; }
below() { ps -A -o pid= -o ppid= 2>/dev/null | while read -r a b; do [ "$b" != "$1" ] || echo "$a"; done; }
end() (
  kill -STOP "$1"; k=$(below "$1"); kill -9 "$1"
  for x in $k; do end "$x"; done
)
end_below() { y=$(pid_of_this); for x in $(below "$1"); do [ "$x" = "$y" ] || end "$x"; done; }
watch() {
  m=$(pid_of_this)
  (
    n=0
    while [ "$n" -lt "$1" ]; do sleep 1; n=$((n + 1)); kill -0 "$m" || exit 0; done
    trap '' TERM; end_below "$m"
  ) </dev/null >/dev/null 2>&1 &
  w=$!
}
watched() { kill "$w" 2>/dev/null; }`

/** A deploy counts a command as late by its own clock, which is first. */
const GRACE_S = 1

/**
 * Runs the user's own shell text in a shell of its own: it may call `exit`, or print anything. A program that it leaves in the
 * background must not keep the SSH session open, so its output goes to files that are already deleted. Text and variables are
 * part of this script, which comes on standard input, because all users can read an argument list. `prints`: its output is
 * wanted.
 */
export function userCommandScript(
  { commands, within, env, timeoutS = 0 }: UserCommand,
  { prints = false } = {},
): string {
  const variables = Object.entries(env).map(([name, value]) => `export ${name}=${quote(value)}`)
  const enter = within.map((path) => `cd ${quotePath(path)} 2>/dev/null`).join(' || ')
  const lacking = quote(`${within.join(' and ')} cannot be entered`)
  const outputs = prints ? '>&5 5>&- 6<&-' : '>/dev/null'
  const run = (command: string) =>
    `[ "$c" != 0 ] || { ( begin; eval ${quote(command)} ) </dev/null ${outputs} 2>&3 3>&- 4<&-; c=$?; }`
  return `o=$(mktemp) && exec 3>"$o" 4<"$o" || exit 1
rm -f "$o"
${prints ? 'o=$(mktemp) && exec 5>"$o" 6<"$o" || exit 1; rm -f "$o"' : ''}
begin() {
  ${enter} || { echo ${lacking} >&2; exit 1; }
  ${variables.join('; ')}
  unset o s c w m
}
c=0
${timeoutS > 0 ? `${WATCH}\nwatch ${Math.ceil(timeoutS + GRACE_S)}` : ''}
${commands.map(run).join('\n')}
${timeoutS > 0 ? 'watched' : ''}
${prints ? 'cat <&6' : ''}
cat <&4 >&2
exit $c`
}
