import { ExitCode, MurderError } from '../../errors.ts'
import { shown } from '../../files/entry.ts'
import { percent } from '../../text/format.ts'
import type { ContentJob } from '../runs/job.ts'
import type { Verdict } from './watchdog.ts'

interface Situation {
  bytes: number
  total: number
  peers: number
  /** Seconds for which it has looked for others. */
  sought: number
  lacksHashes?: boolean
  trackerError?: string
  wrongSeeder?: { address: string; files: string[] }
}

/** Why a peer gave up, in words that lead to the cause. */
export function timeoutError(verdict: Verdict, job: ContentJob, at: Situation): MurderError {
  const share = `${percent(at.bytes, at.total)} of ${job.torrent.metainfo.name}`
  if (verdict === 'connect') return connectError(job, at)
  if (verdict === 'wrong') return wrongError(at)
  if (verdict === 'stall') {
    return new MurderError(
      'STALLED',
      `no progress for ${job.timeouts.stall} s at ${share}, connected to ${at.peers}${hashesPart(at)}${trackerPart(at)}`,
      {
        exitCode: ExitCode.stalled,
        cure: 'check that the seeder runs; what is here is kept, and the same command goes on from it; --stall-timeout sets how long to wait',
      },
    )
  }
  const alone = at.peers === 0 ? `, connected to nobody${trackerPart(at)}` : ''
  return new MurderError('TIMED_OUT', `not complete after ${job.timeouts.total} s: ${share}${alone}`, {
    exitCode: ExitCode.stalled,
    cure: 'what is here is kept, and the same command goes on from it; --timeout sets how long it may take',
  })
}

/** The message of a peer when all sources of the missing pieces are gone. It waits until one comes back. */
export function sourcesGone(job: ContentJob, at: Situation): string {
  const { stall } = job.timeouts
  const left = at.peers > 0 ? `, of ${at.peers} that are connected` : ''
  const wait = stall > 0 ? `; it gives up ${stall} s after the last progress` : ''
  const share = `${percent(at.bytes, at.total)} of ${job.torrent.metainfo.name}`
  return `at ${share} nobody has the rest any more${left}: see with murder status on the seeder's machine why it has ended${wait}`
}

/** The message of a peer that has not found any other one yet. `port` is where it listens itself. */
export function nobodyYet(job: ContentJob, at: Situation, port: number): string {
  const wait = job.timeouts.connect > 0 ? `; it gives up after ${job.timeouts.connect} s` : ''
  return `connected to nobody yet: ${tried(job)}${trackerPart(at)}${wait}. If others reach this machine and it reaches nobody, name it to the seeder: --peer HOST:${port}`
}

function wrongError({
  wrongSeeder: {
    address,
    files: [file = '', ...more],
  } = { address: '', files: [] },
}: Situation) {
  const others = more.length > 0 ? ` or ${more.length} more beside it` : ''
  return new MurderError(
    'OTHER_CONTENT',
    `the seeder at ${address} sent other bytes than the torrent says, of ${shown(file)}${others}, and no other peer has them`,
    {
      cure: 'look at that file on the seeder with murder verify, and make the torrent again from what it shall be',
    },
  )
}

const hashesPart = (at: Situation) =>
  at.lacksHashes ? ", and nobody has sent the torrent's piece hashes" : ''
const trackerPart = (at: Situation) => (at.trackerError ? `; the tracker: ${at.trackerError}` : '')

function tried(job: ContentJob): string {
  const all = [
    ...job.trackers.map((url) => `tracker ${url}`),
    ...job.peers.map((address) => `peer ${address}`),
    ...(job.via ?? []),
  ]
  return all.length > 0 ? `tried ${all.join(', ')}` : 'there was neither a tracker nor a peer to try'
}

function connectError(job: ContentJob, at: Situation): MurderError {
  const met = at.peers > 0 ? ' who has any of it (only peers that wait, too)' : ''
  const { connect, stall } = job.timeouts
  const seconds = Math.max(...[connect, stall].filter((limit) => limit > 0 && limit <= at.sought))
  const message = `connected to nobody in ${seconds} s${met}: ${tried(job)}${trackerPart(at)}`
  return new MurderError('NOT_CONNECTED', message, {
    exitCode: ExitCode.stalled,
    cure: 'check that tracker and seeder run and that a firewall lets this machine reach them; other addresses: --tracker, --peer, and on the seeder --address',
  })
}
