import { setTimeout } from 'node:timers/promises'
import type { Random } from '../fuzz.ts'
import { contentOf, writeFiles } from './content.ts'
import type { RandomServer } from './server.ts'

export interface Ended {
  code: number | null
  text: string
}

export interface Program {
  ended: Promise<Ended>
  signal(signal: NodeJS.Signals): void
}

/** A deploy host and its servers, whatever they are made of. */
export interface Fleet {
  servers: RandomServer[]
  workspace: string
  start(tasks: string, env: Record<string, string>): Program
  /** Breaks the connections to a server. */
  disconnect(server: number): void | Promise<void>
  /** Lets no Node run on a server, or lets it again. */
  breakNode(server: number, isBroken: boolean): void | Promise<void>
  /** Mounts the directory `behind` of a server at a path below its `deployTo`. */
  mount(server: number, path: string): void | Promise<void>
}

export interface LastDeploy {
  release: string
  version: number
  failed: number[]
}

/** How long a peer may go on that nobody follows. */
const ABANDONED_S = 60

/** A fleet in the hands of people who do anything at any moment. */
export class World {
  readonly fleet: Fleet
  readonly next: Random
  version = 0
  tags: string[] = []
  /** What murder:retry would go on with. */
  last: LastDeploy | undefined
  /** Whether a history may lack the last change, because its deploy was killed. */
  isBlurred = false
  /** Whether nothing of ours may be left now but releases. */
  isQuiet = false

  constructor(fleet: Fleet, next: Random) {
    this.fleet = fleet
    this.next = next
  }

  get servers(): RandomServer[] {
    return this.fleet.servers
  }

  get models() {
    return this.servers.map(({ model }) => model)
  }

  pick<T>(from: readonly T[]): T {
    return from[this.next(from.length)] as T
  }

  plant(): number {
    this.version++
    writeFiles(this.fleet.workspace, contentOf(this.version))
    return this.version
  }

  start(tasks: string, env: Record<string, string> = {}): Program {
    return this.fleet.start(tasks, env)
  }

  async run(tasks: string, env: Record<string, string> = {}): Promise<Ended> {
    return this.start(tasks, env).ended
  }

  /** Runs what must succeed. */
  async must(tasks: string, env: Record<string, string> = {}): Promise<string> {
    const { code, text } = await this.run(tasks, env)
    if (code !== 0) throw new Error(`${tasks} ended with ${code}\n${text}`)
    return text
  }

  async mustFail(tasks: string, env: Record<string, string> = {}): Promise<string> {
    const { code, text } = await this.run(tasks, env)
    if (code === 0) throw new Error(`${tasks} succeeded\n${text}`)
    return text
  }

  /** A new release is live on these servers: that of the workspace. */
  async deployed(version: number, text: string, servers = this.servers): Promise<string> {
    const release = servers[0]?.current ?? ''
    for (const server of servers) {
      if (server.current !== release || server.versionOf(release) !== version)
        throw new Error(`after a deploy of version ${version} current is ${server.current}\n${text}`)
      this.becomeLive(server, release)
    }
    return release
  }

  becomeLive(server: RandomServer, release: string): void {
    if (!server.model.known.includes(release)) server.byHand.set(release, server.keeps())
    server.model.publish(release)
  }

  /**
   * After a run that was disturbed: each server has what it had before, or what the run was to publish. Programs on servers
   * may go on for a moment.
   */
  async adopt(
    isWanted: (server: RandomServer, release: string) => boolean,
    how: 'publish' | 'rollBack',
  ): Promise<void> {
    await setTimeout(700)
    for (const server of this.servers) {
      const { current, model } = server
      if (current === undefined || current === model.live) continue
      if (!isWanted(server, current)) throw new Error(`current is ${current}, and was ${model.live}`)
      if (how === 'rollBack') model.rollBack(current)
      else this.becomeLive(server, current)
    }
    this.isBlurred = true
  }

  /** Throws what is wrong on any server. */
  async check(): Promise<void> {
    for (const [index, server] of this.servers.entries()) {
      try {
        server.check(this)
        if (this.isQuiet) await this.#checkQuiet(server)
      } catch (error) {
        throw new Error(`server ${index + 1}: ${error instanceof Error ? error.message : error}`)
      }
    }
  }

  /** Peers of a deploy that was killed give up by themselves. */
  async #checkQuiet(server: RandomServer): Promise<void> {
    for (let waited = 0; server.leftovers().length > 0; waited++) {
      if (waited > ABANDONED_S) throw new Error(`left behind: ${server.leftovers().join(', ')}`)
      await setTimeout(1000)
    }
  }
}
