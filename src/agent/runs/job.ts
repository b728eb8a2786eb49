import type { SiteOrder } from '../../protocol/order.ts'
import { type Metainfo, parseMetainfo } from '../../torrent/metainfo/metainfo.ts'
import type { NewRun } from './run-directory.ts'

/** The work of a process. A background process gets it on its standard input, never on its argument list. */
export type Job = ContentJob | TrackerJob

/** A metainfo file, as bytes and parsed. */
export interface Torrent {
  bytes: Buffer
  metainfo: Metainfo
}

export interface Timeouts {
  /** Seconds; 0 is no limit. */
  connect: number
  stall: number
  total: number
}

export interface ContentJob {
  role: 'seeder' | 'peer'
  tag: string
  torrent: Torrent
  /** The info dictionary comes from others, and is kept in a file; until then the torrent has no piece hashes. */
  metadata?: { sha256: string; size: number; file: string }
  /** Absolute path of the file or directory. */
  path: string
  /** Announce URLs, in which `{secret}` stands for the tracker's key. */
  trackers: string[]
  /** All participants must prove that they know it; without one anybody may join. */
  secret?: string
  peers: string[]
  /** Peers that are reached over SSH, as `ssh:user@host:port/peer port`. */
  via?: string[]
  /** IP addresses of the fleet's machines, where all are known. */
  hosts?: string[]
  /** Only for a seeder: a file of permits with those addresses, which may change. */
  permits?: string
  address?: string
  ports: [number, number]
  /** Seconds that a peer goes on sharing. */
  linger: number
  /** Bytes a second of the whole process; 0 is no limit. */
  uploadLimit: number
  downloadLimit: number
  /** Bytes a second to any one other; 0 is no limit. */
  limitOfEach: number
  fleet?: number
  /** Where a seeder answers Prometheus. */
  metrics?: { host: string; port: number }
  site?: SiteOrder
  /** Only for a peer: files and directories in which content may be, besides its own. Absolute. */
  from?: string[]
  /** Whether a directory gets the attributes that came with its content. */
  attributes: boolean
  /** Whether only this user may read what a peer makes, whatever the umask allows. */
  ownerOnly: boolean
  /** Whether a peer removes files that are in the directory and not in the torrent. */
  deletesOthers: boolean
  timeouts: Timeouts
}

export interface TrackerJob {
  role: 'tracker'
  tag: string
  port: number
  /** Where `port` is taken, it takes the first free one up to this. */
  lastPort?: number
  host?: string
  /** Torrents it serves, with the bytes of their content; all when missing. */
  only?: { infoHash: string; name: string; size: number }[]
  /** It answers only clients that know this secret. */
  secret?: string
  /** A file of permits, which may change. */
  permits?: string
  timeouts: Timeouts
}

/** Throws BAD_TORRENT. */
export const decodeTorrent = (bytes: Buffer): Torrent => ({ bytes, metainfo: parseMetainfo(bytes) })

/** A job as text, with its torrent in base64. */
export function encodeJob(job: Job): string {
  return JSON.stringify(
    job.role === 'tracker' ? job : { ...job, torrent: job.torrent.bytes.toString('base64') },
  )
}

export function decodeJob(text: string): Job {
  const job = JSON.parse(text) as TrackerJob | (Omit<ContentJob, 'torrent'> & { torrent: string })
  if (job.role === 'tracker') return job
  return { ...job, torrent: decodeTorrent(Buffer.from(job.torrent, 'base64')) }
}

/** The part of a job that the run directory shows to others. */
export function runOf(job: Job): NewRun {
  if (job.role === 'tracker') return { role: job.role, tag: job.tag, port: job.port }
  return { role: job.role, tag: job.tag, infoHash: job.torrent.metainfo.infoHash, path: job.path }
}
