import { defined } from '../../system/defined.ts'
import { parseServerName } from '../../text/server-name.ts'

/** Where the other peer listens on its own machine by default. */
const PEER_PORT = 6881

/** A peer that is reached over SSH, as `ssh:user@host[:port][/peer port]`. */
export interface Via {
  user?: string
  host: string
  port?: number
  peerPort: number
}

/** Undefined for anything else, and for a host that ssh could take for an option. */
export function parseVia(text: string): Via | undefined {
  const [, name = '', peerPort] = /^ssh:([^/\s]+?)(?:\/(\d{1,5}))?$/.exec(text) ?? []
  const { user, host = '', port } = parseServerName(name) ?? {}
  const isPort = (value: string | undefined) =>
    value === undefined || (/^\d+$/.test(value) && Number(value) > 0 && Number(value) < 65_536)
  const isWord = (word: string) => /^[\w:][\w.:%+-]*$/.test(word)
  if (!isWord(host) || (user !== undefined && !isWord(user)) || !isPort(port) || !isPort(peerPort))
    return undefined
  return {
    ...defined({ user }),
    host,
    ...(port === undefined ? {} : { port: Number(port) }),
    peerPort: Number(peerPort ?? PEER_PORT),
  }
}
