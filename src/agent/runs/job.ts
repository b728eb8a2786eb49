import type { NewRun } from './run-directory.ts'

/** What a background process is started for. It gets this on its standard input, never on its argument list. */
export type Job = ContentJob | TrackerJob

export interface Timeouts {
  /** Seconds; 0 is no limit. */
  connect: number
  stall: number
  total: number
}

export interface ContentJob {
  role: 'seeder' | 'peer'
  tag: string
  /** The metainfo file, base64. */
  torrent: string
  infoHash: string
  name: string
  /** Absolute path of the file or directory. */
  path: string
  /** Announce URLs, in which `{secret}` stands for the tracker's key. */
  trackers: string[]
  /** What all of the swarm must prove to know; anybody may join when it is missing. */
  secret?: string
  peers: string[]
  /** IP addresses of the fleet's machines, where all are known. */
  hosts?: string[]
  address?: string
  ports: [number, number]
  /** Seconds that a peer goes on sharing. */
  linger: number
  uploadLimit: number
  downloadLimit: number
  /** Bytes a second to any one other; 0 is no limit. */
  limitOfEach: number
  fleet?: number
  /** Whether a directory gets the attributes that came with its content. */
  attributes: boolean
  /** Whether what a peer makes is its user's alone, whatever the umask allows: it is only passing through. */
  ownerOnly: boolean
  /** Whether a peer removes what is in the directory and not in the torrent. */
  deletesOthers: boolean
  timeouts: Timeouts
}

export interface TrackerJob {
  role: 'tracker'
  tag: string
  port: number
  host?: string
  /** Infohashes it serves; all when missing. */
  only?: string[]
  /** It answers only who knows this secret. */
  secret?: string
  /** A file of permits, which may change. */
  permits?: string
  timeouts: Timeouts
}

/** What the run directory tells others about a job. */
export function runOf(job: Job): NewRun {
  if (job.role === 'tracker') return { role: job.role, tag: job.tag, port: job.port }
  return { role: job.role, tag: job.tag, infoHash: job.infoHash, path: job.path }
}
