import { mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import {
  isPublicKey,
  type LinkAnswers,
  type LinkOrder,
  type LinkTarget,
  type OfferQuestion,
} from '../../protocol/link.ts'
import { formatAddress } from '../../system/addresses.ts'
import type { PeerLinks } from '../../torrent/peers/dialing/peer-links.ts'
import { useDirectory } from '../receive/transfer-directory.ts'
import { tryAll } from '../receive/try-reach.ts'
import { openPrivateDirectory } from '../runs/run-directory.ts'
import { admitKeys, otherEndCommand, removeKeys } from './admission.ts'
import { Gate } from './gate.ts'
import { makeKeyPair } from './key-pair.ts'
import {
  badWordOf,
  CONFIG_FILE,
  KEY_FILE,
  knownHosts,
  knownHostsFile,
  type Placed,
  sshConfig,
} from './ssh-config.ts'
import { SshLink } from './ssh-link.ts'

/** In the directory of a transfer. */
const LINKS = 'links'
const PUBLIC_KEY_FILE = 'key.pub'

/**
 * This server's connections to others over SSH, in one transfer: its key pair, the keys that it lets in, and the connections.
 * `close` removes what it has put on this machine. The end of the process does that too, unless it is by SIGKILL.
 */
export class Links implements PeerLinks {
  readonly directory: string
  /** The directory of the transfer. */
  readonly transfer: string
  readonly #release: () => void
  readonly #gate: Gate
  readonly #over = new AbortController()
  readonly #targets = new Map<string, Placed>()
  /** Open, and not yet given to a peer. */
  readonly #ready = new Map<string, SshLink>()
  readonly #open = new Set<SshLink>()
  #addresses: readonly string[] | undefined

  static async open(transfer: string): Promise<Links> {
    openPrivateDirectory(transfer)
    const directory = join(transfer, LINKS)
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    return new Links(transfer, directory, await Gate.open(directory))
  }

  private constructor(transfer: string, directory: string, gate: Gate) {
    this.transfer = transfer
    this.directory = directory
    this.#release = useDirectory(transfer)
    this.#gate = gate
    process.on('exit', this.#tidy)
  }

  /**
   * The public half of this server's key, once a test has shown that sshd here runs the forced command and nothing else. Where a
   * key does not do, what to run here for those who log in with the forwarded SSH agent, once that has been tried.
   */
  async offer(self: OfferQuestion['offer']['self']): Promise<LinkAnswers['offer']> {
    const { username: user } = userInfo()
    const why = await this.#tryKey(self)
    if (why === undefined) return { publicKey: this.#ownKey(), user }
    if (!process.env.SSH_AUTH_SOCK) return { why }
    const command = otherEndCommand(this.directory)
    const whyAgent = await this.#tryOnSelf({ ...self, command })
    return whyAgent === undefined ? { command, user } : { why: `${why}; ${whyAgent}` }
  }

  async #tryKey(self: LinkTarget): Promise<string | undefined> {
    try {
      admitKeys([this.#ownKey()], this.directory)
      return await this.#tryOnSelf(self)
    } catch (error) {
      return (error as Error).message
    } finally {
      removeKeys()
    }
  }

  /** Why it fails; undefined where it works. */
  async #tryOnSelf(self: LinkTarget): Promise<string | undefined> {
    const { failed } = await this.dial([self])
    this.#forget(self.name)
    return failed[self.name]
  }

  admit(publicKeys: readonly string[]): LinkAnswers['admit'] {
    try {
      if (!publicKeys.every(isPublicKey)) return { why: 'one of the keys is no key' }
      admitKeys(publicKeys, this.directory)
      return {}
    } catch (error) {
      return { why: (error as Error).message }
    }
  }

  /** Connects to these. Connections that work stay open for the peer. */
  async dial(targets: readonly LinkTarget[]): Promise<LinkAnswers['dial']> {
    const failed: Record<string, string> = {}
    const placed = await Promise.all(targets.map((target) => placeOf(target)))
    for (const [at, target] of targets.entries()) {
      const host = placed[at]
      if (host === undefined) failed[target.name] = `its sshd does not answer on port ${target.port}`
      else this.#add({ ...target, host })
    }
    this.#writeConfig()
    for (const { name } of targets)
      if (!this.#targets.has(name)) failed[name] ??= 'its name, user or address is not one that ssh takes'
    const dialled = targets.filter(({ name }) => !(name in failed))
    await Promise.all(
      dialled.map(async ({ name }) => {
        try {
          this.#ready.set(name, await this.#connect(name))
        } catch (error) {
          failed[name] = (error as Error).message
          this.#targets.delete(name)
        }
      }),
    )
    return { failed }
  }

  /** Connects the peer only to the targets of an order. A process that begins anew also needs their keys and addresses. */
  async prepare({ admit, targets }: LinkOrder, isNew: boolean): Promise<void> {
    if (isNew) {
      this.#ownKey()
      if (admit.length > 0) this.admit(admit)
      for (const target of targets) {
        const host = await placeOf(target)
        if (host !== undefined) this.#add({ ...target, host })
      }
      this.#writeConfig()
    }
    const wanted = targets.map(({ name }) => name)
    for (const name of this.#targets.keys()) if (!wanted.includes(name)) this.#forget(name)
    this.#addresses = undefined
  }

  get addresses(): readonly string[] {
    this.#addresses ??= [...this.#targets.values()].map(addressOf)
    return this.#addresses
  }

  async connect(address: string): Promise<Socket> {
    const [name = ''] = [...this.#targets].find(([, target]) => addressOf(target) === address) ?? []
    const link = this.#ready.get(name) ?? (await this.#connect(name))
    this.#ready.delete(name)
    await link.taken()
    return link.socket
  }

  takeWith(take: (socket: Socket, host: string) => void): void {
    this.#gate.takeWith(take)
  }

  /** No new connection is let in. Existing ones stay. */
  lockOut(): void {
    removeKeys()
  }

  close(): void {
    this.#over.abort()
    this.#gate.close()
    this.#tidy()
    process.off('exit', this.#tidy)
    for (const link of this.#open) link.close()
  }

  readonly #tidy = () => {
    removeKeys()
    this.#release()
    rmSync(this.directory, { recursive: true, force: true })
    try {
      rmdirSync(this.transfer)
    } catch {
      // The peer has something there, too.
    }
  }

  async #connect(name: string): Promise<SshLink> {
    const { command } = this.#targets.get(name) ?? {}
    const link = await SshLink.open({ name, command }, this.directory, this.#over.signal)
    this.#open.add(link)
    link.socket.once('close', () => {
      this.#open.delete(link)
      if (this.#ready.get(name) === link) this.#ready.delete(name)
      link.close()
    })
    return link
  }

  #add(target: Placed): void {
    if (badWordOf(target) === undefined) this.#targets.set(target.name, target)
  }

  #forget(name: string): void {
    this.#targets.delete(name)
    this.#ready.get(name)?.close()
    this.#ready.delete(name)
  }

  /** A process that takes over from one that was killed uses its key, which others have let in. */
  #ownKey(): string {
    const file = join(this.directory, PUBLIC_KEY_FILE)
    try {
      return readFileSync(file, 'utf8')
    } catch {
      const { privateKey, publicKey } = makeKeyPair()
      writeFileSync(join(this.directory, KEY_FILE), privateKey, { mode: 0o600 })
      writeFileSync(file, publicKey, { mode: 0o600 })
      return publicKey
    }
  }

  #writeConfig(): void {
    const targets = [...this.#targets.values()]
    for (const target of targets)
      writeFileSync(join(this.directory, knownHostsFile(target.name)), knownHosts(target), { mode: 0o600 })
    writeFileSync(join(this.directory, CONFIG_FILE), sshConfig(targets), { mode: 0o600 })
  }
}

/** Only names the neighbour; it is never dialed. */
const addressOf = ({ host, port }: Placed): string => formatAddress(host, port)

/** The first of its addresses that answers. */
async function placeOf({ hosts, port }: LinkTarget): Promise<string | undefined> {
  const words = await tryAll(hosts.map((host) => ({ host, port, isPeer: false })))
  return hosts[words.indexOf('reached')]
}
