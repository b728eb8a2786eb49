import type { Settings } from '../../config/schema.ts'
import { findServers, isServer } from '../../config/servers.ts'
import { ExitCode, MurderError } from '../../errors.ts'
import type { Fleet } from '../../fleet/fleet.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import { ownAddresses } from '../../system/addresses.ts'
import { announceUrl } from '../../torrent/tracker/announce-url.ts'
import type { TaskContext } from '../context/context.ts'
import type { FleetFacts } from '../preflight/preflight.ts'

/** Its name in messages. */
export const DEPLOY_HOST = 'the deploy host'

const LOOPBACK = '127.0.0.1'

/** A machine that runs the tracker or the seeder. */
export interface Machine {
  /** Its name in messages. */
  readonly label: string
  /** Undefined for the deploy host. */
  readonly server: Server | undefined
  /** Where all other machines reach it, if the settings say so. */
  readonly address: string | undefined
}

type PlacementContext = Pick<TaskContext, 'settings'> & { fleet: Pick<Fleet, 'everyone'> }

/** Where seeder and tracker are, and at which addresses the machines of the fleet reach them. */
export class Placement {
  readonly seeder: Machine
  readonly tracker: Machine
  /** The announce URL of a tracker that somebody else runs. */
  readonly externalTracker: string | undefined
  /** Whether the deploy or the single tasks start a tracker of their own. */
  readonly hasOwnTracker: boolean
  /** The port of a tracker of their own. */
  readonly trackerPort: number
  readonly #settings: Settings
  readonly #facts: FleetFacts

  /**
   * `facts`: the servers' answers, once they have been asked. `trackerPort`: the tracker's port, once it has started. Throws
   * NO_SERVER.
   */
  constructor(context: PlacementContext, facts: FleetFacts = new Map(), trackerPort?: number) {
    const { settings } = context
    const { at, address } = settings.tracker
    const [seeder, tracker] = [seederServer(context), trackerServer(context)]
    this.seeder = machineOf(seeder, settings.announce)
    this.tracker = machineOf(tracker, tracker === seeder ? (address ?? settings.announce) : address)
    this.externalTracker = /^https?:/.test(at) ? at : undefined
    this.hasOwnTracker = at !== 'none' && this.externalTracker === undefined
    this.trackerPort = trackerPort ?? settings.tracker.port
    this.#settings = settings
    this.#facts = facts
  }

  /** The machine's address as `server` sees it; undefined means the deploy host. Throws NO_ADDRESS. */
  addressOf({ server, address }: Machine, from: Server | undefined): string {
    if (from === server) return LOOPBACK
    if (server) return address ?? this.#facts.get(server)?.serverAddress ?? server.host
    const found = address ?? (from && this.#facts.get(from)?.clientAddress)
    if (found !== undefined) return found
    throw new MurderError('NO_ADDRESS', `${from?.label} does not say from where it is reached`, {
      cure: 'set murder.announce to the address of the deploy host, or murder.seeder to one of the servers',
    })
  }

  /** Whether that address is known. */
  isReachable({ server, address }: Machine, from: Server): boolean {
    return Boolean(server || address || this.#facts.get(from)?.clientAddress)
  }

  seederAddress(from: Server | undefined): string {
    return this.addressOf(this.seeder, from)
  }

  /** The announce URLs that a server, or the deploy host when it is undefined, uses. */
  announceUrls(from: Server | undefined, hasSecret: boolean): string[] {
    if (this.externalTracker !== undefined) return [this.externalTracker]
    if (!this.hasOwnTracker) return []
    return [announceUrl(this.addressOf(this.tracker, from), this.trackerPort, hasSecret)]
  }

  /** The one announce URL to show; undefined when there is no tracker. */
  shownTracker(): string | undefined {
    if (!this.hasOwnTracker) return this.externalTracker
    const address = this.#shownAddress(this.tracker)
    return announceUrl(address, this.trackerPort, !this.#settings.allowStrangers)
  }

  /** The address that most servers use, else one of this machine's own. */
  #shownAddress({ server, address }: Machine): string {
    if (address !== undefined) return address
    if (server) return this.#facts.get(server)?.serverAddress ?? server.host
    const counts = new Map<string, number>()
    for (const { clientAddress } of this.#facts.values()) {
      if (clientAddress !== undefined) counts.set(clientAddress, (counts.get(clientAddress) ?? 0) + 1)
    }
    const [most] = [...counts].sort((a, b) => b[1] - a[1])
    return most?.[0] ?? ownAddresses()[0] ?? LOOPBACK
  }
}

const machineOf = (server: Server | undefined, address: string | undefined): Machine => ({
  label: server?.label ?? DEPLOY_HOST,
  server,
  address,
})

/** The arguments of the agent's `tracker` that say where it listens. */
export const trackerPortArgs = ({ trackerPorts: [first, last] }: Settings): string[] => [
  '--port',
  String(first),
  '--last-port',
  String(last),
]

/** The server that seeds; undefined for the deploy host. Throws NO_SERVER. */
export const seederServer = (context: PlacementContext): Server | undefined =>
  serverOf(context.fleet, context.settings.seeder)

/** The server that runs the tracker, if one is started at all; undefined for the deploy host. Throws NO_SERVER. */
export function trackerServer(context: PlacementContext): Server | undefined {
  const { at } = context.settings.tracker
  return at === 'seeder' ? seederServer(context) : isServer(at) ? serverOf(context.fleet, at) : undefined
}

function serverOf(fleet: PlacementContext['fleet'], name: string): Server | undefined {
  if (name === 'local') return undefined
  const [index] = findServers(name, fleet.everyone)
  if (index !== undefined) return fleet.everyone[index]
  throw new MurderError('NO_SERVER', `${name} is no server`, { exitCode: ExitCode.usage })
}
