/** The comment of our lines begins with it. Then come the name of the process that removes the line, and perhaps `NEW`. */
const MARK = 'shipit-murder'
/** The file was not there before. */
const NEW = 'new'

/** A line of authorized_keys. */
export interface Entry {
  /** Type and key. */
  publicKey: string
  /** The forced command: sshd runs it whatever the client asks for. */
  command: string
  /** As sshd takes it, in the server's time: `YYYYMMDDHHMM`. */
  expiry: string
  /** Name of the process that removes the line. */
  owner: string
}

/** `restrict` forbids all that sshd offers beside the command: forwarding, terminals, agents, X11, rc files. */
function lineOf({ publicKey, command, expiry, owner }: Entry, isNew: boolean): string {
  const quoted = command.replaceAll('"', '\\"')
  const comment = [MARK, owner, ...(isNew ? [NEW] : [])].join(' ')
  return `restrict,expiry-time="${expiry}",command="${quoted}" ${publicKey} ${comment}\n`
}

const OURS = new RegExp(
  `^restrict,expiry-time="(\\d+)",command=".*" ssh-ed25519 \\S+ ${MARK} (.*?)( ${NEW})?$`,
)

/**
 * The text with these entries at the top. So no byte of other lines changes, even if the text does not end with a newline.
 * `text`: undefined where there is no file.
 */
export function withEntries(text: string | undefined, entries: readonly Entry[]): string {
  const lines = (text ?? '').split('\n').filter((line) => line !== '')
  const isNew = text === undefined || (lines.length > 0 && lines.every((line) => OURS.exec(line)?.[3]))
  return entries.map((entry) => lineOf(entry, isNew)).join('') + (text ?? '')
}

/** The text without our lines that `isGone` chooses; undefined when the file was made for them and none is left. */
export function withoutEntries(
  text: string,
  isGone: (entry: { owner: string; expiry: string }) => boolean,
): string | undefined {
  let wasNew = false
  const kept = text.split(/(?<=\n)/).filter((line) => {
    const [, expiry = '', owner = '', isNew] = OURS.exec(line.replace(/\n$/, '')) ?? []
    if (owner === '' || !isGone({ owner, expiry })) return true
    wasNew ||= isNew !== undefined
    return false
  })
  return kept.length === 0 && wasNew ? undefined : kept.join('')
}

export const hasEntries = (text: string): boolean => text.includes(` ${MARK} `)
