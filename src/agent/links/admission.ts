import { readFileSync, statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { isSystemError } from '../../errors.ts'
import { hasEnded, nameOwnProcess, ownIdentity } from '../../system/process-identity.ts'
import { quote } from '../../text/shell-quote.ts'
import { printError } from '../cli/output.ts'
import { changeFile } from './authorized-file.ts'
import { hasEntries, withEntries, withoutEntries } from './authorized-keys.ts'

/** sshd takes no new connection with a key that is older. But sshd leaves the line in the file, so we remove it, too. */
const EXPIRY_S = 2 * 3600
/**
 * Other boots, and other machines with the same home directory, may have left lines. These are removed this long after they
 * expired.
 */
const LEFT_S = 24 * 3600

const sshDirectory = () => join(userInfo().homedir, '.ssh')
const authorizedKeys = () => join(sshDirectory(), 'authorized_keys')

/** Names this process in lines of authorized_keys. */
const owner = (): string => nameOwnProcess() ?? `${ownIdentity().pid} ${ownIdentity().start}`

/** Lets in these keys, and only to the other end of a link of this transfer. Throws why not. */
export function admitKeys(publicKeys: readonly string[], directory: string): void {
  const command = otherEndCommand(directory)
  if (!statSync(sshDirectory(), { throwIfNoEntry: false })?.isDirectory())
    throw new Error(`there is no ${sshDirectory()}`)
  const expiry = expiryTime(EXPIRY_S)
  const entries = publicKeys.map((publicKey) => ({ publicKey, command, expiry, owner: owner() }))
  changeFile(authorizedKeys(), (text) =>
    withEntries(text === undefined ? undefined : withoutEntries(text, isOwn), entries),
  )
}

/** The shell command that is the other end of a link of this transfer. Throws where there can be none. */
export function otherEndCommand(directory: string): string {
  const [program = '', agent = ''] = [process.execPath, process.argv[1]]
  const words = [program, agent, 'link', directory]
  if (words.some((word) => /[\n\r]/.test(word))) throw new Error('a path there has a line break')
  return `exec ${words.map(quote).join(' ')}`
}

/** Removes this process's lines. Does not throw: nothing more could be done. */
export function removeKeys(): void {
  change(isOwn)
}

/** Removes what killed processes have left. */
export function removeLeftKeys(): void {
  let text = ''
  try {
    text = readFileSync(authorizedKeys(), 'latin1')
  } catch {
    return
  }
  if (hasEntries(text)) change(({ owner, expiry }) => hasEnded(owner) || expiry < expiryTime(-LEFT_S))
}

const isOwn = (entry: { owner: string }) => entry.owner === owner()

function change(isGone: Parameters<typeof withoutEntries>[1]): void {
  try {
    changeFile(authorizedKeys(), (text) => (text === undefined ? undefined : withoutEntries(text, isGone)))
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) printError(`murder: ${(error as Error).message}`)
  }
}

/**
 * The time in `seconds` from now, as sshd reads it: in the system's time zone, whatever TZ says here. Before 9.1 sshd knows no
 * other.
 */
function expiryTime(seconds: number): string {
  const { TZ: _, ...env } = process.env
  const { execFileSync } = process.getBuiltinModule('node:child_process')
  const zone = execFileSync('date', ['+%z'], { encoding: 'utf8', env })
  const [, sign, hours, minutes] = /^([+-])(\d\d)(\d\d)/.exec(zone) ?? []
  const offsetMs = (sign === '-' ? -1 : 1) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60_000
  return new Date(Date.now() + seconds * 1000 + offsetMs).toISOString().replace(/\D/g, '').slice(0, 12)
}
