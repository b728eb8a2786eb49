import { type HostKeys, hostKeysOf } from '../../fleet/ssh/connection/host-keys.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import { isLinkCommand, isPublicKey, type LinkOrder, type LinkTarget } from '../../protocol/link.ts'
import type { Reached } from '../../protocol/reach.ts'
import { pause } from '../../system/backoff.ts'
import { defined } from '../../system/defined.ts'
import { oneLine } from '../../text/format.ts'
import type { TaskContext } from '../context/context.ts'
import { placesOf } from '../paths/places.ts'
import { transferPath } from '../paths/server-paths.ts'
import { addressBetween } from './address-between.ts'
import { linkPairs, pairsToLink } from './link-pairs.ts'
import { linksLine, type Unlinked } from './links-line.ts'
import type { Start } from './try-ways.ts'

/** Time limit for all of it. The release then travels over the links that work by then. */
const TIMEOUT_S = 25
const MAX_WHY_CHARACTERS = 200

/** The links between servers over SSH. */
export interface FleetLinks {
  /** Whether servers use only these links between them. */
  readonly isOnly: boolean
  /** The part of a server's order about links to servers for which `isIn` is true; undefined where there are none. */
  orderOf(server: Server, isIn: (other: Server) => boolean): LinkOrder | undefined
}

/** A link that was tried and works. The first server opens it. */
type Link = readonly [from: Server, to: Server]

/** Makes the wanted links, tries each, and reports the choice. */
export async function prepareLinks(
  context: TaskContext,
  start: Start,
  tried: ReadonlyMap<Server, ReadonlyMap<Server, Reached>>,
  tag: string,
): Promise<FleetLinks> {
  const { between } = context.settings
  const servers = [...start.peers.keys()]
  const words = ([from, to]: readonly [Server, Server]) => tried.get(from)?.get(to)
  const pairs = pairsWanted(between, servers, words)
  const isOnly = between === 'ssh'
  if (pairs.length === 0) return { isOnly, orderOf: () => undefined }
  const making = new Making(context, start, tag)
  const late = new AbortController()
  const timer = pause(TIMEOUT_S, AbortSignal.any([context.signal, late.signal])).catch(() => {})
  await Promise.race([making.make(pairs), timer])
  late.abort()
  making.isOver = true
  const failures = [
    ...new Set(pairs.flatMap(([one, other]) => words([one, other]) ?? words([other, one]) ?? [])),
  ]
  const blocked = failures.filter((word) => word !== 'reached')
  // Orders wait for the links, but for those that need none: their deltas are in them.
  const needsNone = (server: Server) => start.peers.get(server)?.hasOrder === true
  const inPairs = servers.filter(
    (server) => pairs.some((pair) => pair.includes(server)) && !needsNone(server),
  )
  const { links, unlinked, isForwarded } = making
  if (inPairs.length > 0)
    context.display.board().log(linksLine({ servers: inPairs, links, unlinked, blocked, isForwarded }))
  return { isOnly, orderOf: (server, isIn) => making.orderOf(server, isIn) }
}

function pairsWanted(
  between: TaskContext['settings']['between'],
  servers: readonly Server[],
  words: (pair: readonly [Server, Server]) => Reached | undefined,
): Link[] {
  if (between === 'direct') return []
  const at = (index: number) => servers[index] as Server
  const reaches = (from: number, to: number) => {
    const word = words([at(from), at(to)])
    return word === undefined ? undefined : word === 'reached'
  }
  const pairs = between === 'ssh' ? linkPairs(servers.length) : pairsToLink(servers.length, reaches)
  return pairs.map(([from, to]) => [at(from), at(to)])
}

/** Asks the agents, step by step. */
class Making {
  readonly links: Link[] = []
  readonly unlinked: Unlinked[] = []
  /** Those that servers can log in to, with their keys or with the forwarded SSH agent. */
  readonly #able = new Set<Server>()
  /** Later answers are ignored. */
  isOver = false
  readonly #context: Pick<TaskContext, 'settings' | 'shipit'>
  readonly #start: Start
  readonly #tag: string
  readonly #targets = new Map<Server, LinkTarget>()
  readonly #keys = new Map<Server, string>()

  constructor(context: Pick<TaskContext, 'settings' | 'shipit'>, start: Start, tag: string) {
    this.#context = context
    this.#start = start
    this.#tag = tag
  }

  /** Each server first tries on itself what a key can do there. Only then is it told which keys to let in. */
  async make(pairs: readonly Link[]): Promise<void> {
    const servers = [...new Set(pairs.flat())]
    await Promise.all(servers.map(async (server) => this.#offer(server, await hostKeysOf(server))))
    const able = pairs.filter((pair) => pair.every((server) => this.#able.has(server)))
    const admitted = new Set<Server>()
    await Promise.all(
      [...new Set(able.flat())].map(async (server) => {
        if (await this.#admit(server, able)) admitted.add(server)
      }),
    )
    const failed = await this.#dial(able.filter(([, to]) => admitted.has(to)))
    const back = failed.map(([from, to]): Link => [to, from]).filter(([, to]) => admitted.has(to))
    await this.#dial(back)
  }

  get isForwarded(): boolean {
    return this.links.some(([, to]) => !this.#keys.has(to))
  }

  orderOf(server: Server, isIn: (other: Server) => boolean): LinkOrder | undefined {
    const links = this.links.filter(
      (link) => link.includes(server) && link.every((one) => one === server || isIn(one)),
    )
    if (links.length === 0) return undefined
    return {
      directory: this.#directoryOf(server),
      admit: links.flatMap(([from, to]) => (to === server ? (this.#keys.get(from) ?? []) : [])),
      targets: links.flatMap(([from, to]) => (from === server ? (this.#targets.get(to) ?? []) : [])),
    }
  }

  #directoryOf(server: Server): string {
    return transferPath(placesOf(this.#context, server), this.#tag)
  }

  async #offer(server: Server, { hostName, keys }: HostKeys): Promise<void> {
    if (keys.length === 0) return this.#unlink(server, `known_hosts of the deploy host has no host key of it`)
    const { settings } = this.#context
    const { user, ...address } = addressBetween(
      settings.betweenAddresses,
      server,
      this.#start.facts.get(server),
    )
    const name = `server-${this.#targets.size + 1}`
    const target: LinkTarget = { name, ...address, hostKeys: keys, hostName, ...defined({ user }) }
    this.#targets.set(server, target)
    const answer = await this.#ask(server, { offer: { directory: this.#directoryOf(server), self: target } })
    const { publicKey, command, user: own } = answer
    const isKey = isPublicKey(publicKey)
    if (typeof own !== 'string' || !(isKey || isLinkCommand(command))) return this.#unlink(server, answer.why)
    this.#able.add(server)
    if (isKey) this.#keys.set(server, publicKey)
    this.#targets.set(server, {
      ...target,
      user: user ?? own,
      ...(isKey ? {} : { command: command as string }),
    })
  }

  async #admit(server: Server, pairs: readonly Link[]): Promise<boolean> {
    if (!this.#keys.has(server)) return true // It takes the forwarded agent.
    const others = pairs
      .filter((pair) => pair.includes(server))
      .flatMap((pair) => pair.filter((one) => one !== server))
    const admit = others.flatMap((other) => this.#keys.get(other) ?? [])
    const answer = await this.#ask(server, { admit })
    const isDone = Object.keys(answer).length === 0
    if (!isDone) this.#unlink(server, answer.why)
    return isDone
  }

  /** Gives the pairs where it failed. */
  async #dial(pairs: readonly Link[]): Promise<Link[]> {
    const failed: Link[] = []
    const dialling = [...new Set(pairs.map(([from]) => from))].map(async (from) => {
      const own = pairs.filter(([one]) => one === from)
      const dial = own.flatMap(([, to]) => this.#targets.get(to) ?? [])
      const answer = await this.#ask(from, { dial })
      if (this.isOver) return
      const why = (answer.failed ?? {}) as Record<string, unknown>
      for (const [, to] of own) {
        const { name = '' } = this.#targets.get(to) ?? {}
        if (typeof answer.failed !== 'object' || name in why) {
          failed.push([from, to])
          this.#unlink(to, why[name], from)
        } else this.links.push([from, to])
      }
    })
    await Promise.all(dialling)
    return failed
  }

  async #ask(
    server: Server,
    question: Parameters<NonNullable<ReturnType<Start['peers']['get']>>['ask']>[0],
  ): Promise<Record<string, unknown>> {
    const answer = await this.#start.peers.get(server)?.ask(question)
    return typeof answer === 'object' && answer !== null
      ? (answer as Record<string, unknown>)
      : { why: 'it does not answer' }
  }

  #unlink(to: Server, why: unknown, from?: Server): void {
    const text = typeof why === 'string' ? oneLine(why).slice(0, MAX_WHY_CHARACTERS) : 'it does not answer'
    this.unlinked.push({ to, why: text, ...defined({ from }) })
  }
}
