import { type Lane, lanes } from '../model/picture.ts'

/** What things are called on a page. */
export interface Words {
  server: string
  servers: string
  /** What they have in the end, as in `3 servers have the release`. */
  have: string
  seeder: string
  failed: string
  /** Those of a run's lanes that can be. */
  lanes: readonly Lane[]
  laneNames: Readonly<Record<Lane, string>>
  /** Whether it is known who sends to whom. */
  knowsFlows: boolean
}

const laneNames: Record<Lane, string> = {
  check: 'check',
  upload: 'upload',
  transfer: 'transfer',
  unpack: 'unpack',
  ready: 'has the release',
  publish: 'publish',
  health: 'health check',
  live: 'live',
  failed: 'failed',
}

export const deployWords: Words = {
  server: 'server',
  servers: 'servers',
  have: 'have the release',
  seeder: 'the seeder',
  failed: 'failed',
  lanes,
  laneNames,
  knowsFlows: true,
}

/** A swarm as its tracker sees it. */
export const swarmWords: Words = {
  server: 'peer',
  servers: 'peers',
  have: 'have everything',
  seeder: 'the seeders',
  failed: 'gone too early',
  lanes: ['transfer', 'ready', 'failed'],
  laneNames: { ...laneNames, ready: 'has everything', failed: 'gone too early' },
  knowsFlows: false,
}

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
