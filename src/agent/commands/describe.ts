import { bytes } from '../../text/format.ts'
import type { Metainfo } from '../../torrent/metainfo/metainfo.ts'
import type { ContentJob } from '../runs/job.ts'

/** Lines of two columns, the first padded. */
export function facts(title: string, rows: [string, string][]): string {
  const width = Math.max(...rows.map(([name]) => name.length))
  return [title, ...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`)].join('\n')
}

export function describeSeeder(
  job: ContentJob,
  metainfo: Metainfo,
  at: { port: number; pid: number },
): string {
  return facts(`Seeding ${job.path}`, [
    ['infohash', job.infoHash],
    ['tracker', job.trackers.join(', ') || 'none'],
    ['size', `${bytes(metainfo.length)} in ${metainfo.pieces.length / 20} pieces`],
    ['port', String(at.port)],
    ['pid', String(at.pid)],
    ['stop', `murder stop ${job.tag}`],
  ])
}

export function describeTracker(tag: string, at: { port: number; pid: number; url?: string }): string {
  return facts('Tracker is running', [
    ['url', at.url ?? ''],
    ['port', String(at.port)],
    ['pid', String(at.pid)],
    ['stop', `murder stop ${tag}`],
  ])
}
