import { existsSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { answerPage } from '../../page/serve/answer.ts'
import { partAt } from '../../page/serve/guard.ts'
import { Watchers } from '../../page/serve/watchers.ts'
import { pageScriptFile } from '../../page-file.ts'
import { keyOf } from '../../torrent/access/secret.ts'
import type { Announced, TrackerAudience } from '../../torrent/tracker/tracker-server.ts'
import type { TrackerJob } from '../runs/job.ts'
import { type Content, Swarms } from './swarms.ts'

/**
 * The path of a tracker's page; undefined where it has none: for the tracker of a deploy, which has a page of its own, and if the
 * page's script is not beside this program. Everybody who may announce may look: if the tracker has a secret, the path is secret,
 * too.
 */
export function statsPath({ secret, permits }: TrackerJob): string | undefined {
  if (permits !== undefined || !existsSync(pageScriptFile)) return undefined
  return secret === undefined ? '/stats' : `/${keyOf(secret, 'page').toString('base64url')}/stats`
}

/** The page of a tracker's swarms. */
export class StatsPage implements TrackerAudience {
  readonly #path: string
  readonly #swarms: Swarms
  readonly #watchers = new Watchers()

  /** `contents`: facts that are known beforehand, by infohash. */
  constructor(path: string, contents: ReadonlyMap<string, Content>) {
    this.#path = path
    this.#swarms = new Swarms(contents)
  }

  get isWatched(): boolean {
    return this.#watchers.count > 0
  }

  announced(announced: Announced): void {
    this.#swarms.take(announced)
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    const { url, headers } = request
    const part = partAt(url, this.#path)
    // Programs have asked for the numbers in this way from the beginning.
    if (part === undefined || (part === 'document' && headers.accept === 'application/json')) return
    const watch = () => this.#watch(url, response)
    answerPage({ kind: 'swarm', path: this.#path, isOwnHost, watch }, request, response)
  }

  end(): void {
    this.#watchers.end()
  }

  #watch(url: string | undefined, response: ServerResponse): void {
    const chosen = new URLSearchParams(url?.replace(/^[^?]*/, '')).get('swarm')
    this.#watchers.add(response, {
      source: () => this.#swarms.recorder(chosen),
      choices: () => this.#swarms.choices,
    })
  }
}

/**
 * An address, a name without a dot or this machine's own one. Any other name may belong to another site, whose page could then
 * read this one in a visitor's browser (DNS rebinding).
 */
function isOwnHost(host: string): boolean {
  const [, name = '', bracketed] = /^(\[([\da-f:.]+)\]|[^:/@\s]+)(?::\d{1,5})?$/i.exec(host) ?? []
  if (bracketed !== undefined) return isIP(bracketed) === 6
  return isIP(name) === 4 || /^[\w-]+$/.test(name) || name.toLowerCase() === hostname().toLowerCase()
}
