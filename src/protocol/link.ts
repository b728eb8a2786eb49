/**
 * Questions to waiting agents about connections between servers over SSH. Each agent makes a key pair, whose private half never
 * leaves its server. It lets in the public halves of servers that shall reach it. Where that cannot be, and the user forwards an
 * SSH agent to the servers, they log in with that.
 */

/**
 * Make a key pair, and test on this machine that a key which is let in can only reach this agent. Where it cannot be let in, test
 * whether the forwarded SSH agent can log in here.
 */
export interface OfferQuestion {
  offer: {
    /** The directory of the transfer. */
    directory: string
    /** Where this machine's own sshd is. */
    self: LinkTarget
  }
}

/** Let in these public halves. */
export interface AdmitQuestion {
  admit: string[]
}

/** Connect to these. */
export interface DialQuestion {
  dial: LinkTarget[]
}

/** Another server, as this one reaches it over SSH. */
export interface LinkTarget {
  /** Names it in this deploy; a short word. */
  name: string
  /** Addresses or names, in the order of attempts. */
  hosts: string[]
  port: number
  /** Undefined: the user that this agent runs as. */
  user?: string
  /** Lines of known_hosts without their names: type and key, and perhaps `@cert-authority` before them. */
  hostKeys: string[]
  /** The name that a certificate of its host key must have. */
  hostName: string
  /** Log in with the forwarded SSH agent and run this. Undefined: log in with this server's key, whose own command runs. */
  command?: string
}

/** The type and the key of an ed25519 key, and nothing else that could have a meaning in authorized_keys. */
export const isPublicKey = (line: unknown): line is string =>
  typeof line === 'string' && /^ssh-ed25519 [A-Za-z0-9+/]{68}$/.test(line)

/** What a server may have others run on it. It cannot be taken for an option of ssh. */
export const isLinkCommand = (value: unknown): value is string =>
  typeof value === 'string' && /^exec [^\n\r]{1,4096}$/.test(value)

/** The answers to these questions, by the question's key. `why`: the reason of a failure, as part of a sentence. */
export interface LinkAnswers {
  offer: { publicKey: string; user: string } | { command: string; user: string } | { why: string }
  admit: Record<string, never> | { why: string }
  /** By the target's name: undefined where it works, else why not. */
  dial: { failed: Record<string, string> }
}

/** The part of an order about neighbours over SSH. */
export interface LinkOrder {
  directory: string
  /** The public halves to let in. */
  admit: string[]
  targets: LinkTarget[]
}
