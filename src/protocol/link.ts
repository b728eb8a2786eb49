/**
 * What the plugin asks agents that wait for their order about ways between servers over SSH. Each agent makes a key pair, whose
 * private half never leaves its server, and lets in the public halves of those that shall reach it.
 */

/** Make a key pair, and try on this machine that a key which is let in can do nothing but reach this agent. */
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
  /** Addresses or names, in the order in which they are tried. */
  hosts: string[]
  port: number
  /** Undefined: the user that this agent runs as. */
  user?: string
  /** Lines of known_hosts without their names: type and key, and perhaps `@cert-authority` before them. */
  hostKeys: string[]
  /** The name that a certificate of its host key must have. */
  hostName: string
}

/** What is an answer to each of these, by the key of the question. `why`: it cannot, as part of a sentence. */
export interface LinkAnswers {
  offer: { publicKey: string; user: string } | { why: string }
  admit: Record<string, never> | { why: string }
  /** By the target's name: undefined where it works, else why not. */
  dial: { failed: Record<string, string> }
}

/** The part of an order: neighbours through SSH. */
export interface LinkOrder {
  directory: string
  /** The public halves to let in. */
  admit: string[]
  targets: LinkTarget[]
}
