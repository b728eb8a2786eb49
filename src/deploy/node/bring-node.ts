import { createReadStream } from 'node:fs'
import { posix } from 'node:path'
import { Transform } from 'node:stream'
import type { Settings } from '../../config/schema.ts'
import { Limit } from '../../fleet/limit.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import { type Failure, failureOf } from '../../report/failures.ts'
import type { TaskContext } from '../context/context.ts'
import { failuresOf } from '../outcome/fleet-error.ts'
import { placesOf } from '../paths/places.ts'
import { installNodeScript, parseInstalledNode } from '../scripts/install-script.ts'
import { BROUGHT_PREFIX } from '../scripts/node/find-node-script.ts'
import type { Platform } from '../scripts/node/platform-script.ts'
import { type Build, pinnedBuilds } from './build.ts'
import { chooseBuild, type Refusal, whyUnfit } from './choose-build.ts'
import { fileBuild } from './file-build.ts'
import { ownBuild } from './own-build.ts'
import { type PreparedBuild, prepareBuild } from './prepare-build.ts'

/** A server is silent while it writes the program to a slow disk. */
const WRITE_GRACE_S = 120

/** A Node that was brought to a server, and has run there. */
export interface BroughtNode {
  version: string
  path: string
}

export interface Brought {
  nodes: Map<Server, BroughtNode>
  failures: Failure[]
}

/** The builds that may be brought, best first. Throws BAD_NODE_FILE. */
export async function buildsFor(node: Settings['node']): Promise<Build[]> {
  if (typeof node === 'object') return [await fileBuild(node.bring)]
  const own = await ownBuild()
  return own ? [own, ...pinnedBuilds] : [...pinnedBuilds]
}

/** Uploads Node to servers that have none, to no more at a time than `concurrency`. */
export async function bringNode(
  context: TaskContext,
  platforms: ReadonlyMap<Server, Platform>,
  builds: readonly Build[],
): Promise<Brought> {
  const bringer = new Bringer(context)
  const work = [...platforms].map(([server, platform]) => bringer.bring(server, platform, builds))
  await Promise.all(work)
  context.signal.throwIfAborted()
  return bringer.brought
}

class Bringer {
  readonly brought: Brought = { nodes: new Map(), failures: [] }
  readonly #context: TaskContext
  readonly #limit: Limit
  readonly #prepared = new Map<Build, Promise<PreparedBuild>>()

  constructor(context: TaskContext) {
    this.#context = context
    this.#limit = new Limit(context.settings.concurrency)
  }

  /** The deploy host's own Node may lack a library there that the next build does without. */
  async bring(server: Server, platform: Platform, builds: readonly Build[], before?: Refusal): Promise<void> {
    const { build, refusal } = chooseBuild(platform, builds, placesOf(this.#context, server).remotePath)
    if (!build) return this.#refuse(server, before ?? refusal)
    const unfit = await this.#upload(server, build)
    if (unfit) await this.bring(server, platform, builds.slice(builds.indexOf(build) + 1), unfit)
  }

  /** Returns why the build does not run on this server. */
  async #upload(server: Server, build: Build): Promise<Refusal | undefined> {
    const { signal } = this.#context
    const { remotePath } = placesOf(this.#context, server)
    let release = () => {}
    try {
      const prepared = await this.#prepare(build)
      release = await this.#limit.acquire(signal)
      const path = posix.join(remotePath, nameOf(prepared))
      const outcome = await this.#send(server, prepared, path)
      if (!outcome.ok) {
        this.brought.failures.push(...failuresOf([outcome], 'upload'))
        return undefined
      }
      const installed = parseInstalledNode(outcome.stdout)
      if (!('version' in installed)) return whyUnfit(installed.exitCode, installed.said, remotePath)
      this.brought.nodes.set(server, { version: installed.version, path })
    } catch (error) {
      this.brought.failures.push(failureOf(server.label, error, 'upload'))
    } finally {
      release()
    }
    return undefined
  }

  #prepare(build: Build): Promise<PreparedBuild> {
    const known = this.#prepared.get(build)
    if (known) return known
    const prepared = prepareBuild(build, this.#context.signal)
    this.#prepared.set(build, prepared)
    return prepared
  }

  #send(server: Server, { sha256, file, compressedBytes }: PreparedBuild, path: string) {
    const { display, fleet, settings, signal } = this.#context
    const show = (sent: number) =>
      display.board().update(server.label, { phase: 'upload', bytes: sent, total: compressedBytes })
    show(0)
    const script = installNodeScript({ path, sha256, compressedBytes })
    const stdin = () => createReadStream(file).pipe(counter(show))
    const { stall } = settings.timeouts
    const options = { signal, stallTimeoutS: stall === 0 ? 0 : stall + WRITE_GRACE_S, repeatable: true }
    return fleet.runOn(server, 'upload', { script, stdin }, options)
  }

  #refuse({ label: server }: Server, { cause, cure }: Refusal): void {
    this.brought.failures.push({ server, step: 'check', cause, cure })
  }
}

/** The version is for people, and for a later deploy; the digest tells builds of one version apart. */
const nameOf = ({ build, sha256 }: PreparedBuild): string =>
  `${BROUGHT_PREFIX}${build.version ?? 'file'}-${sha256.slice(0, 16)}`

function counter(show: (bytes: number) => void): Transform {
  let sent = 0
  return new Transform({
    transform(chunk: Buffer, _, done) {
      sent += chunk.length
      show(sent)
      done(null, chunk)
    },
  })
}
