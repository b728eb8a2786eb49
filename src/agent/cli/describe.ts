import { bytes } from '../../text/format.ts'
import { table } from '../../text/table.ts'
import type { ContentJob } from '../runs/job.ts'

/** A title, and below it lines of a name and a value in two columns. */
export function keyValueLines(title: string, rows: [string, string][]): string {
  return `${title}\n${table(rows.map(([name, value]) => [`  ${name}`, value]))}`
}

export function describeSeeder(job: ContentJob, at: { port: number; pid: number }): string {
  const { infoHash, length, pieces } = job.torrent.metainfo
  return keyValueLines(`Seeding ${job.path}`, [
    ['infohash', infoHash],
    ['tracker', job.trackers.join(', ') || 'none'],
    ['size', `${bytes(length)} in ${pieces.length / 20} pieces`],
    ['port', String(at.port)],
    ['pid', String(at.pid)],
    ['stop', `murder stop ${job.tag}`],
  ])
}

/** `page`: path of the page that people may look at. */
export function describeTracker(
  tag: string,
  at: { port: number; pid: number; url?: string },
  page: string | undefined,
): string {
  return keyValueLines('Tracker is running', [
    ['url', at.url ?? ''],
    ...(page === undefined || at.url === undefined
      ? []
      : ([['page', new URL(page, at.url).href]] as [string, string][])),
    ['port', String(at.port)],
    ['pid', String(at.pid)],
    ['stop', `murder stop ${tag}`],
  ])
}
