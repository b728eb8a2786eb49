import { quote, quotePath } from '../../text/shell-quote.ts'

/** The user's own shell text, and where and with which variables it runs. */
export interface UserCommand {
  /** One after the other, until one fails. */
  commands: readonly string[]
  /** Runs in the first of these directories that exists. */
  within: readonly string[]
  env: Readonly<Record<string, string>>
}

/**
 * Runs the user's own shell text in a shell of its own: it may call `exit`, or print anything. A program that it leaves in the
 * background must not keep the SSH session open, so its output goes to files that are already deleted. Text and variables are
 * part of this script, which comes on standard input, because all users can read an argument list. `prints`: its output is
 * wanted.
 */
export function userCommandScript({ commands, within, env }: UserCommand, { prints = false } = {}): string {
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
  unset o s c
}
c=0
${commands.map(run).join('\n')}
${prints ? 'cat <&6' : ''}
cat <&4 >&2
exit $c`
}
