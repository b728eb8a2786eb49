import { writeFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { join } from 'node:path'
import { MANIFEST } from '../../attributes/entry.ts'
import { explain } from '../../errors.ts'
import { writeWhole } from '../../files/write-whole.ts'
import { MAX_SOURCES } from '../../protocol/events.ts'
import { defined } from '../../system/defined.ts'
import { Participant } from '../../torrent/participant.ts'
import type { ParticipantOptions } from '../../torrent/participant-options.ts'
import type { PeerLinks } from '../../torrent/peers/dialing/peer-links.ts'
import type { Reuse } from '../../torrent/storage/pieces-here.ts'
import type { StorageOptions } from '../../torrent/storage/storage.ts'
import {
  embeddedManifest,
  finishDirectory,
  hasManifest,
  refuseChangedFiles,
} from '../manifest/torrent-manifest.ts'
import type { ContentJob } from '../runs/job.ts'
import { ContentMonitor, REPORT_MS } from './content-monitor.ts'
import { seederMetrics, serveMetrics } from './metrics-server.ts'
import { hostsOf } from './permits-file.ts'
import { timeoutError } from './timeout-error.ts'
import { CLOSE_TIMEOUT_S, delay, type WorkerContext } from './worker-context.ts'

/** Runs a seeder or a peer until it is stopped, or, a peer, until it has lingered. */
export async function workOnContent(job: ContentJob, context: WorkerContext): Promise<void> {
  const { metainfo } = job.torrent
  const started = performance.now()
  const participant = await Promise.race([start(job, context), context.stopped, ranOut(job)])
  if (!participant) return
  const kept = participant.stats().bytes
  const monitor = new ContentMonitor(participant, job, context.emit, { started, kept })
  const listening = () => context.listening({ port: participant.port, infoHash: metainfo.infoHash })
  let metrics: Server | undefined
  try {
    // A seeder says where it listens only after its content has been checked against the torrent.
    if (job.role === 'peer') listening()
    metrics =
      job.metrics &&
      (await serveMetrics(job.metrics, () => seederMetrics(participant.stats(), metainfo.infoHash)))
    await Promise.race([participant.complete, monitor.gaveUp, context.stopped])
    if (context.isStopped()) return
    monitor.complete()
    if (job.role === 'seeder') {
      listening()
      await Promise.race([context.stopped, delay(job.timeouts.total || undefined), participant.failed])
      monitor.report()
    } else {
      await finishDirectory(job, context.emit)
      context.onComplete?.(participant)
      const { bytes, total, received, fromSeeder, sent } = participant.stats()
      const seconds = Math.round(performance.now() - started) / 1000
      const from = participant.topSources(MAX_SOURCES)
      context.emit({ event: 'downloaded', bytes, total, seconds, kept, received, fromSeeder, sent, from })
      context.emit({ event: 'done' })
      const failed = participant.failed.catch(({ message }) => context.emit({ event: 'warning', message }))
      await Promise.race([context.stopped, delay(job.linger), failed])
    }
  } finally {
    monitor.close()
    metrics?.close()
    await Promise.race([participant.stop(), delay(CLOSE_TIMEOUT_S)])
  }
}

/** Existing content is checked first, which takes a while when it is large: meanwhile the signs of life go on. */
async function start(
  job: ContentJob,
  { emit, folder, onPiece, isBusy, links }: WorkerContext,
): Promise<Participant> {
  const { metainfo } = job.torrent
  const { address, secret, fleet, site } = job
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
      hosts: hostsOf(job),
      ...(job.role === 'peer' && (await reusing(job, emit))),
      ...defined({
        metadata: metadataOf(job),
        address,
        secret,
        fleet,
        site,
        onPiece,
        isBusy,
        links: links ?? (await viaLinks(job, emit)),
      }),
    })
  } finally {
    clearInterval(timer)
  }
}

/** With the torrent's signature a peer reuses content from other places on this machine. */
async function reusing(
  { torrent: { metainfo }, path, from = [] }: ContentJob,
  emit: WorkerContext['emit'],
): Promise<{ reuse?: Reuse }> {
  if (!metainfo.signature) return {}
  const { readSignature } = await import('../reuse/signature.ts')
  const { reuseOf } = await import('../reuse/reuse.ts')
  try {
    return { reuse: reuseOf({ metainfo, path, from }, readSignature(metainfo.signature, metainfo)) }
  } catch (error) {
    emit({ event: 'warning', message: explain(error) })
    return {}
  }
}

async function viaLinks({ via }: ContentJob, emit: WorkerContext['emit']): Promise<PeerLinks | undefined> {
  if (!via) return undefined
  const { ViaLinks } = await import('../links/via.ts')
  return new ViaLinks(via, (message) => emit({ event: 'warning', message }))
}

/** Keeps the piece hashes, so that a later process can check the content. */
function metadataOf({ metadata }: ContentJob): ParticipantOptions['metadata'] {
  if (!metadata) return undefined
  const { sha256, size, file } = metadata
  return { sha256, size, onVerified: (info) => writeWhole(file, info, { mode: 0o600 }) }
}

/**
 * A seeder's manifest comes from a file of its own, because its directory need not have one. A peer's files are readable by this
 * user only until they have their attributes.
 */
function storageOf(job: ContentJob, folder: string): StorageOptions {
  const { metainfo } = job.torrent
  const ownerOnly = job.ownerOnly || (job.attributes && hasManifest(metainfo))
  if (job.role === 'peer' || !metainfo.manifest) return { ownerOnly }
  const file = join(folder, MANIFEST)
  writeFileSync(file, embeddedManifest(metainfo), { mode: 0o600 })
  return { elsewhere: { [MANIFEST]: file } }
}

/** The time that a peer may take counts from its very beginning: a dead network file system may block it there. */
async function ranOut(job: ContentJob): Promise<never> {
  await delay((job.role === 'peer' && job.timeouts.total) || undefined)
  throw timeoutError('total', job, { bytes: 0, total: job.torrent.metainfo.length, peers: 0, sought: 0 })
}
