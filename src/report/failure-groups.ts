/** Why a server has failed. */
export interface Failure {
  server: string
  /** Where it failed: check, upload, transfer, unpack, publish … */
  step: string
  /** The cause, in one sentence. */
  cause: string
  /** What to do, if known. */
  cure?: string
}

/** Failures of several servers for the same reason. */
export interface FailureGroup extends Omit<Failure, 'server'> {
  servers: string[]
  /** The texts name the first server. Those of the others differ only in that name. */
  namesFirst: boolean
}

/** Equal failures as one, in the order of the first of each. */
export function groupFailures(failures: readonly Failure[]): FailureGroup[] {
  const groups = new Map<string, FailureGroup>()
  for (const failure of failures) {
    const { server, ...rest } = failure
    const key = JSON.stringify([
      rest.step,
      ...[rest.cause, rest.cure ?? ''].map((text) => unnamed(text, server)),
    ])
    const group = groups.get(key)
    if (!group) groups.set(key, { ...rest, servers: [server], namesFirst: false })
    else if (!group.servers.includes(server)) {
      group.servers.push(server)
      group.namesFirst ||= rest.cause !== group.cause || rest.cure !== group.cure
    }
  }
  return [...groups.values()]
}

/** The cause for all of them, which may name the first. */
export const sharedCause = ({ cause, namesFirst }: FailureGroup): string =>
  namesFirst ? `${cause} (the others likewise)` : cause

/** `user@host:port`, with user and port optional, and an IPv6 address in brackets or not. Browsers have no `node:net`. */
const SERVER_NAME = /^(?:([^@:]+)@)?\[?(.+?)\]?(?::(\d+))?$/s
/** A shorter host name could be an ordinary word. */
const MIN_HOST_CHARACTERS = 4

/** `text` without the server's own name and port, to see whether two servers failed in the same way. */
function unnamed(text: string, server: string): string {
  const [, user, host = server, port] = SERVER_NAME.exec(server) ?? []
  const names = [
    server,
    ...(user ? [`${user}@${host}`] : []),
    ...(host.length < MIN_HOST_CHARACTERS ? [] : [host]),
  ]
  const ports = port ? [`-p ${port}`, `port ${port}`, `:${port}`] : []
  return [...names, ...ports].reduce((rest, name) => replaceWord(rest, name), text)
}

const replaceWord = (text: string, word: string) =>
  text.replace(new RegExp(`(?<![\\w.@-])${word.replace(/[^\w]/g, '\\$&')}(?![\\w-]|\\.\\w)`, 'g'), '…')
