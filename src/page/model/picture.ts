/** What a server is doing. `ready`: it has the release, which is not published yet. `live`: it is published. */
export const lanes = [
  'check',
  'upload',
  'transfer',
  'unpack',
  'ready',
  'publish',
  'health',
  'live',
  'failed',
] as const
export type Lane = (typeof lanes)[number]

/** A lane and the seconds when it was entered and left; without the last it has not been left yet. */
export type LaneSpan = [lane: Lane, beganS: number, endedS?: number]

/** Where bytes come from: the place of a server in the picture, or the seeder. */
export type Source = number | 'seeder'

/** Bytes, seconds since the run began, bytes a second. All text comes from servers or settings and is not to be trusted. */
export interface ServerPicture {
  server: string
  lane: Lane
  spans: LaneSpan[]
  /** Verified bytes of the content. */
  bytes: number
  rate: number
  /** The sources that sent most bytes, and the present rate of each. */
  from: [source: Source, bytes: number, rate: number][]
  failure?: { step: string; cause: string; cure?: string }
  /** What made it late, if known. */
  why?: string
}

/** `bytes`: of all servers together. `sent`: by the seeder. */
export interface Sample {
  atS: number
  done: number
  failed: number
  bytes: number
  sent: number
  rate: number
}

/** Facts about the run as a whole. */
export interface RunPicture {
  environment: string
  release: string | null
  /** Milliseconds since 1970. */
  begunMs: number
  /** Seconds from the start until this picture was made. */
  atS: number
  step: string
  outcome: 'running' | 'published' | 'done' | 'failed'
  /** Why the whole run has failed. */
  error?: string
  /** Bytes of the package; 0 while unknown. */
  size: number
  /** Bytes that the seeder has sent. */
  seederSent: number
  /** The highest rate at which any server has received, bytes a second. */
  fastest: number
}

export interface Picture {
  run: RunPicture
  servers: ServerPicture[]
  samples: Sample[]
}

/** The differences since the last change: servers by their place, and the samples that were added. */
export interface Change {
  run: RunPicture
  servers: [place: number, server: ServerPicture][]
  samples: Sample[]
}

/** One of several pictures, for a list of them. `id` in a link shows it. */
export interface Choice {
  id: string
  name: string
  done: number
  servers: number
}

/** Whether it has the content of the release. */
export const hasRelease = ({ lane }: ServerPicture): boolean =>
  lane === 'ready' || lane === 'publish' || lane === 'health' || lane === 'live'
