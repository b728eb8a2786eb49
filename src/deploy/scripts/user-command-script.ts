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
  /**
   * Standard input has the deploy's signs of life: when it ends, so does all that the command has started. A killed deploy must not
   * leave a command that takes a server out of service after the next one has put it back.
   */
  isAttended?: boolean
}

/**
 * Shell functions `watch SECONDS` and `attend`, which end all that the calling shell has started and that still runs: after that
 * time, or when file 7 ends. `watched` stops both. A command that was given up must not go on: it would take a server out of
 * service, or restart it, when nobody expects that any more. A shell that is stopped begins nothing new. Programs that a command
 * has left in the background are not ended. A pid is told by a child, because `$$` is that of the shell that this one is a part of.
 */
const WATCH = `exec 7<&0
pid_of_this() { exec sh -c 'echo $PPID'; }
below() { ps -A -o pid= -o ppid= 2>/dev/null | while read -r a b; do [ "$b" != "$1" ] || echo "$a"; done; }
end() (
  kill -STOP "$1"; k=$(below "$1"); kill -9 "$1"
  for x in $k; do end "$x"; done
)
end_below() { trap '' TERM; y=$(pid_of_this); for x in $(below "$1"); do [ "$x" = "$y" ] || end "$x"; done; }
m=$(pid_of_this); w=
watch() {
  (
    n=0
    while [ "$n" -lt "$1" ]; do sleep 1; n=$((n + 1)); kill -0 "$m" || exit 0; done
    end_below "$m"
  ) </dev/null >/dev/null 2>&1 7<&- &
  w="$w $!"
}
attend() {
  ( while IFS= read -r x; do :; done; end_below "$m" ) <&7 >/dev/null 2>&1 7<&- &
  w="$w $!"
}
watched() { kill $w 2>/dev/null; }`

/** A deploy counts a command as late by its own clock, which is first. */
const GRACE_S = 1

/**
 * Runs the user's own shell text in a shell of its own: it may call `exit`, or print anything. A program that it leaves in the
 * background must not keep the SSH session open, so its output goes to files that are already deleted. Text and variables are
 * part of this script, which comes on standard input, because all users can read an argument list. `prints`: its output is
 * wanted.
 */
export function userCommandScript(
  { commands, within, env, timeoutS = 0, isAttended = false }: UserCommand,
  { prints = false } = {},
): string {
  const variables = Object.entries(env).map(([name, value]) => `export ${name}=${quote(value)}`)
  const enter = within.map((path) => `cd ${quotePath(path)} 2>/dev/null`).join(' || ')
  const lacking = quote(`${within.join(' and ')} cannot be entered`)
  const outputs = prints ? '>&5 5>&- 6<&-' : '>/dev/null'
  const watches = [
    ...(timeoutS > 0 ? [`watch ${Math.ceil(timeoutS + GRACE_S)}`] : []),
    ...(isAttended ? ['attend'] : []),
  ]
  const run = (command: string) =>
    `[ "$c" != 0 ] || { ( begin; eval ${quote(command)} ) </dev/null ${outputs} 2>&3 3>&- 4<&- ${watches.length > 0 ? '7<&-' : ''}; c=$?; }`
  return `o=$(mktemp) && exec 3>"$o" 4<"$o" || exit 1
rm -f "$o"
${prints ? 'o=$(mktemp) && exec 5>"$o" 6<"$o" || exit 1; rm -f "$o"' : ''}
begin() {
  ${enter} || { echo ${lacking} >&2; exit 1; }
  ${variables.join('; ')}
  unset o s c w m
}
c=0
${watches.length > 0 ? [WATCH, ...watches].join('\n') : ''}
${commands.map(run).join('\n')}
${watches.length > 0 ? 'watched' : ''}
${prints ? 'cat <&6' : ''}
cat <&4 >&2
exit $c`
}
