import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MANIFEST } from '../../attributes/entry.ts'
import type { MurderError } from '../../errors.ts'
import { defined } from '../../system/defined.ts'
import { Participant } from '../../torrent/participant.ts'
import type { Stats } from '../../torrent/participant-options.ts'
import type { StorageOptions } from '../../torrent/storage/storage.ts'
import {
  embeddedManifest,
  finishDirectory,
  hasManifest,
  refuseChangedFiles,
} from '../manifest/torrent-manifest.ts'
import type { ContentJob } from '../runs/job.ts'
import { timeoutError } from './timeout-error.ts'
import { verdict } from './watchdog.ts'
import { delay, type WorkerContext } from './worker-context.ts'

const TICK_MS = 250
/** Progress is said this often, changed or not: it is also the sign of life. */
const REPORT_MS = 1000
/** A seeder's and a lingering peer's sign of life. */
const IDLE_REPORT_MS = 10_000

/** Runs a seeder or a peer until it is stopped, or, a peer, until it has lingered. */
export async function workOnContent(job: ContentJob, context: WorkerContext): Promise<void> {
  const { metainfo } = job.torrent
  const started = performance.now()
  const participant = await Promise.race([start(job, context), context.stopped, ranOut(job)])
  if (!participant) return
  const monitor = watch(participant, job, context, started)
  const listening = () => context.listening({ port: participant.port, infoHash: metainfo.infoHash })
  try {
    // A seeder listens for good only once its content has turned out to be what the torrent says.
    if (job.role === 'peer') listening()
    await Promise.race([participant.complete, monitor.gaveUp, context.stopped])
    if (context.isStopped()) return
    monitor.complete()
    if (job.role === 'seeder') {
      listening()
      await Promise.race([context.stopped, delay(job.timeouts.total || undefined)])
      monitor.report()
    } else {
      await finishDirectory(job, context.emit)
      const { bytes, total, received, fromSeeder, sent } = participant.stats()
      const seconds = Math.round(performance.now() - started) / 1000
      context.emit({ event: 'downloaded', bytes, total, seconds, received, fromSeeder, sent })
      context.emit({ event: 'done' })
      await Promise.race([context.stopped, delay(job.linger)])
    }
  } finally {
    monitor.close()
    await Promise.race([participant.stop(), delay(3)])
  }
}

/** Existing content is checked first, which takes its time with a large one: meanwhile the signs of life go on. */
async function start(job: ContentJob, { emit, folder, onPiece }: WorkerContext): Promise<Participant> {
  const { metainfo } = job.torrent
  const { address, secret, hosts, fleet } = job
  const sign = { event: 'progress', bytes: 0, total: metainfo.length, down: 0, up: 0, peers: 0 } as const
  const timer = setInterval(() => emit(sign), REPORT_MS)
  try {
    if (job.role === 'seeder') await refuseChangedFiles(metainfo, job.path)
    return await Participant.start({
      metainfo,
      path: job.path,
      role: job.role,
      trackers: job.trackers,
      peers: job.peers,
      ports: job.ports,
      uploadLimit: job.uploadLimit,
      downloadLimit: job.downloadLimit,
      limitOfEach: job.limitOfEach,
      storage: storageOf(job, folder),
      ...defined({ address, secret, hosts, fleet, onPiece }),
    })
  } finally {
    clearInterval(timer)
  }
}

/** A seeder has the attributes as a file although its directory need not; what a peer makes is nobody else's until it has them. */
function storageOf(job: ContentJob, folder: string): StorageOptions {
  const { metainfo } = job.torrent
  const ownerOnly = job.ownerOnly || (job.attributes && hasManifest(metainfo))
  if (job.role === 'peer' || !metainfo.manifest) return { ownerOnly }
  const file = join(folder, MANIFEST)
  writeFileSync(file, embeddedManifest(metainfo), { mode: 0o600 })
  return { elsewhere: { [MANIFEST]: file } }
}

/** The time that a peer may take counts from its very beginning: a dead network file system may stop it there. */
async function ranOut(job: ContentJob): Promise<never> {
  await delay((job.role === 'peer' && job.timeouts.total) || undefined)
  throw timeoutError('total', job, { bytes: 0, total: job.torrent.metainfo.length, peers: 0, sought: 0 })
}

/** Reports progress and notices when there is none. */
function watch(participant: Participant, job: ContentJob, context: WorkerContext, started: number) {
  let progressed = performance.now()
  const connecting = progressed
  let reported = Number.NEGATIVE_INFINITY
  let last: Stats | undefined
  let complete = false
  let named = 0
  let fail: (error: MurderError) => void = () => {}
  const gaveUp = new Promise<never>((_, reject) => {
    fail = reject
  })
  gaveUp.catch(() => {}) // nobody waits for it any more once the content is complete

  const report = (stats: Stats, now: number) => {
    reported = now
    const { bytes, total, down, up, peers, sent } = stats
    context.emit({ event: 'progress', bytes, total, down, up, peers, sent })
  }
  const tick = () => {
    const now = performance.now()
    const stats = participant.stats()
    if (stats.bytes > (last?.bytes ?? 0)) progressed = now
    const turned = stats.peers > 0 !== (last?.peers ?? 0) > 0 || (stats.bytes > 0 && !last?.bytes)
    if ((turned && !complete) || now - reported >= (complete ? IDLE_REPORT_MS : REPORT_MS)) report(stats, now)
    while (named < stats.banned.length) {
      context.emit({ event: 'banned', address: stats.banned[named++] as string })
    }
    last = stats
    if (job.role === 'seeder') return
    const { foundContent } = stats
    const mayStillCome = job.trackers.length > 0 && job.peers.length === 0 && !stats.trackerError
    const ran = verdict(
      { now, started, connecting, progressed, foundContent, mayStillCome, complete },
      job.timeouts,
    )
    if (ran) fail(timeoutError(ran, job, { ...stats, sought: (now - connecting) / 1000 }))
  }
  const timer = setInterval(tick, TICK_MS)
  tick()
  return {
    gaveUp,
    complete() {
      complete = true
      tick()
      report(participant.stats(), performance.now())
    },
    /** How it stands now: the last word of a seeder says how much it sent. */
    report: () => report(participant.stats(), performance.now()),
    close: () => clearInterval(timer),
  }
}
