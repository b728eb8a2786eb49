import type { Connection } from './connection.ts'

/** More neighbours than any peer has at one time. Bytes of further ones are not counted. */
const MAX_SOURCES = 256

/** `seeder`, `host:port` where the peer listens, or only its host. */
export const sourceOf = ({
  isSeeder,
  address,
  remoteHost,
}: Pick<Connection, 'isSeeder' | 'address' | 'remoteHost'>): string =>
  isSeeder ? 'seeder' : (address ?? remoteHost)

/** Counts content bytes by where they came from. */
export class Sources {
  readonly #bytes = new Map<string, number>()

  received(source: string, bytes: number): void {
    const before = this.#bytes.get(source)
    if (before !== undefined || this.#bytes.size < MAX_SOURCES) this.#bytes.set(source, (before ?? 0) + bytes)
  }

  /** The `count` sources that sent most bytes. */
  top(count: number): [source: string, bytes: number][] {
    return [...this.#bytes].sort(([, one], [, other]) => other - one).slice(0, count)
  }
}
