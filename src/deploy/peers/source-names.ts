import { MAX_SOURCES } from '../../protocol/events.ts'
import { formatAddress, isLoopback, parseAddress } from '../../system/addresses.ts'
import type { FleetFacts } from '../preflight/preflight.ts'

const SEEDER = 'seeder'

/** Finds the servers behind the addresses that peers tell where their bytes came from. */
export class SourceNames {
  /** Servers by each of their addresses. */
  readonly #byHost = new Map<string, Set<string>>()
  readonly #byAddress = new Map<string, string>()
  readonly #hostsOf = new Map<string, string[]>()
  readonly #byPort = new Map<number, Set<string>>()

  constructor(facts: FleetFacts) {
    for (const [{ label }, { addresses, serverAddress }] of facts) {
      const hosts = [...new Set([...addresses, ...(serverAddress === undefined ? [] : [serverAddress])])]
      this.#hostsOf.set(label, hosts)
      for (const host of hosts) this.#byHost.set(host, (this.#byHost.get(host) ?? new Set()).add(label))
    }
  }

  /** The peer of this server listens on `port`: servers may share an address. */
  listens(label: string, port: number): void {
    for (const host of this.#hostsOf.get(label) ?? []) this.#byAddress.set(formatAddress(host, port), label)
    this.#byPort.set(port, (this.#byPort.get(port) ?? new Set()).add(label))
  }

  /** Bytes by server, or by `seeder`. Made-up values and machines outside the fleet are left out. */
  resolve(from: unknown): [source: string, bytes: number][] {
    if (!Array.isArray(from)) return []
    return from.slice(0, MAX_SOURCES).flatMap((entry: unknown): [string, number][] => {
      const [source, bytes] = Array.isArray(entry) ? entry : []
      if (typeof source !== 'string' || typeof bytes !== 'number' || !(bytes > 0 && bytes < Infinity))
        return []
      const name = this.nameOf(source)
      return name === undefined ? [] : [[name, bytes]]
    })
  }

  /** The server at `host:port` or at a host, or `seeder`; undefined for machines outside the fleet. */
  nameOf(source: string): string | undefined {
    if (source === SEEDER) return SEEDER
    const known = this.#byAddress.get(source)
    if (known !== undefined) return known
    const { host, port } = parseAddress(source) ?? { host: source, port: 0 }
    // On one machine a connection comes from 127.0.0.1, whatever address its server has.
    const candidates = this.#byHost.get(host) ?? (isLoopback(host) ? this.#byPort.get(port) : undefined)
    const [label, another] = candidates ?? []
    return another === undefined ? label : undefined
  }
}
