export interface Finding {
  code: string
  /** What happened, after "server: ". */
  what: string
  cure?: string
  /** Whether the same may work a little later. */
  passes?: boolean
  /** Whether a verbose ssh would say more. */
  hidesCause?: boolean
}

/** The server of a message: its label, and the command that does the same login by hand. */
export interface Login {
  server: string
  byHand: string
}

/** A message of OpenSSH's client, of sudo or of a login shell, and what it means. */
export interface Message {
  pattern: RegExp
  code: string
  what: Text
  cure: Text
  passes?: boolean
  hidesCause?: boolean
}

type Text = string | ((match: RegExpExecArray, login: Login) => string)

/** What the first message that matches means. */
export function firstFinding(messages: readonly Message[], input: string, login: Login): Finding | undefined {
  for (const { pattern, code, what, cure, passes = false, hidesCause = false } of messages) {
    const match = pattern.exec(input)
    if (!match) continue
    const filled = (text: Text) => (typeof text === 'string' ? text : text(match, login))
    return { code, what: filled(what), cure: filled(cure), passes, hidesCause }
  }
  return undefined
}

/** The login with BatchMode: it asks nothing, like a deploy's own. */
export function inBatch(byHand: string): string {
  return byHand.replace(/^ssh /, 'ssh -o BatchMode=yes ')
}
