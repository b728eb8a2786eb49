import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { sha256Of } from '../../../src/files/hash.ts'
import { packPieces } from '../../../src/protocol/packed-pieces.ts'

const scripts = join(process.cwd(), 'test', 'support', 'stub-fleet')

/** Pieces in each server's account of its transfer, and how many others it had them from. */
const PIECES = 400
const SOURCES = 8
/** Signs of life come every two seconds. */
const PULSE_S = 2

interface Traits {
  count: number
  seconds: number
  bytes: number
  hasAgent?: boolean
}

/**
 * A fleet of any size on this machine, to see what a deploy costs the deploy host. Its servers are directories. Scripts run there
 * in a real shell; but what stands in for `ssh` does not encrypt, and what stands in for the agent does not download.
 */
export class StubFleet {
  readonly root: string
  readonly hosts: readonly string[]

  /** `seconds`: how long each server downloads its `bytes`. With `hasAgent` nothing is uploaded. */
  constructor(root: string, { count, seconds, bytes, hasAgent = false }: Traits) {
    this.root = root
    this.hosts = Array.from({ length: count }, (_, at) => `10.99.${at >> 8}.${at & 255}`)
    mkdirSync(join(root, 'bin'), { recursive: true })
    for (const name of ['ssh', 'agent']) {
      copyFileSync(join(scripts, `${name}.sh`), this.#program(name))
      chmodSync(this.#program(name), 0o755)
    }
    writeFileSync(join(root, 'transfer'), `${Math.max(1, Math.round(seconds / PULSE_S))} ${bytes}\n`)
    const sources = (at: number) =>
      Array.from({ length: SOURCES }, (_, next) => `${this.hosts[(at * 7 + next * 31) % count]}:6881`)
    writeFileSync(join(root, 'profile'), `${profile(['seeder', ...sources(0)])}\n`)
    for (const [at, host] of this.hosts.entries()) {
      mkdirSync(this.#home(host), { recursive: true })
      const from = JSON.stringify(sources(at).map((source) => [source, 1_000_000]))
      writeFileSync(join(this.#home(host), 'sources'), `${from}\n`)
      if (hasAgent) bringAgent(join(this.#home(host), 'app', 'shared', 'murder'))
    }
  }

  /** For `servers` in a shipitfile. */
  get servers(): { host: string; user: string; deployTo: string }[] {
    return this.hosts.map((host) => ({ host, user: 'root', deployTo: join(this.#home(host), 'app') }))
  }

  /** What stands in for Node on the servers: the setting `node`. */
  get node(): string {
    return this.#program('agent')
  }

  /** For `npx shipit`. */
  get environment(): Record<string, string> {
    return { STUB_FLEET: this.root, PATH: `${join(this.root, 'bin')}:${process.env.PATH}` }
  }

  /** The release that is live on each server; undefined where none is. */
  live(): (string | undefined)[] {
    return this.hosts.map((host) => {
      const current = join(this.#home(host), 'app', 'current')
      return existsSync(current) ? readlinkSync(current) : undefined
    })
  }

  #home(host: string): string {
    return join(this.root, 'servers', host)
  }

  #program(name: string): string {
    return join(this.root, 'bin', name)
  }
}

function bringAgent(directory: string): void {
  mkdirSync(directory, { recursive: true })
  const content = readFileSync(join(process.cwd(), 'dist', 'murder.mjs'))
  writeFileSync(join(directory, `murder-${sha256Of(content).slice(0, 16)}.mjs`), content)
}

/** The fields of a `profile` event but for its times, and its end. */
function profile(sources: readonly string[]): string {
  const arrivals = Array.from({ length: PIECES }, (_, piece) => ({
    piece,
    source: sources[piece % sources.length] as string,
    atS: piece,
  }))
  const pieces = packPieces(arrivals, { beganS: 0, endedS: PIECES, every: 1, pieceCount: PIECES })
  const facts = {
    cpu: 1,
    queued: 0,
    disk: 0,
    stopped: 0,
    peakDown: 1e7,
    peakUp: 1e7,
    afterGap: 0,
    sentAgain: 0,
  }
  return JSON.stringify({ ...facts, arrived: 0, pieceCount: PIECES, every: 1, pieces }).slice(1, -1)
}
