import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { MurderError } from '../../errors.ts'
import type { RunStatus } from '../../protocol/run-status.ts'
import { quotePath } from '../../text/shell-quote.ts'
import { parseMetainfo, withTrackers } from '../../torrent/metainfo/metainfo.ts'
import type { Context } from '../context/context.ts'
import { environmentDirectory } from '../context/local-paths.ts'
import { hasOwnTracker, type Station, shownTracker, stationOf } from '../hosts/placement.ts'
import { keyValueLines, say } from '../outcome/say.ts'
import { findSeeders } from './seed.ts'

/** Seconds, and bytes of base64, for a torrent that comes over SSH. */
const PATIENCE = 60
const LONGEST = 100 * 1024 * 1024

/**
 * `murder:download_torrent`: brings the torrent of what is seeded here, with the tracker's address in it, so that any
 * client can use it. Throws NOTHING_SEEDED or TORRENT_LOST.
 */
export async function downloadTorrent(context: Context): Promise<void> {
  const station = stationOf(context)
  const { tag: wanted, tracker } = context.settings
  const seeder = (await findSeeders(context, station)).find(
    ({ tag }) => wanted === undefined || tag === wanted,
  )
  const { environment } = context.shipit
  if (!seeder) {
    const what = wanted ?? 'Nothing'
    throw new MurderError('NOTHING_SEEDED', `${what} is ${wanted ? 'not ' : ''}seeded for ${environment}`, {
      cure: `run npx shipit ${environment} murder:start_seeding`,
    })
  }
  const torrent = await fetchTorrent(context, station, seeder)
  const port = hasOwnTracker(context.settings) ? tracker.port : undefined
  const url = shownTracker(context, port, new Map())
  const directory = environmentDirectory(environment)
  const path = join(directory, `${seeder.tag}.torrent`)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await writeFile(path, withTrackers(torrent, url === undefined ? [] : [url]), { mode: 0o600 })
  const { infoHash } = parseMetainfo(torrent)
  say(
    context,
    keyValueLines(`Torrent of ${seeder.tag}`, [
      ['infohash', infoHash],
      ['tracker', url ?? 'none'],
      ['path', path],
    ]),
    'torrent',
    { tag: seeder.tag, infoHash, tracker: url ?? null, path },
  )
}

/** The bytes that the seeder was started with. */
async function fetchTorrent(
  { fleet, shipit, signal }: Context,
  { server, directory }: Station,
  { tag, infoHash }: RunStatus,
): Promise<Buffer> {
  let torrent: Buffer | undefined
  if (server) {
    const script = `base64 < ${quotePath(posix.join(directory, 'package.torrent'))}`
    const options = { signal, totalTimeout: PATIENCE, maxOutput: LONGEST }
    const outcome = await fleet.runOn(server, 'torrent', { script }, options)
    if (outcome.ok) torrent = Buffer.from(outcome.stdout, 'base64')
  } else torrent = await readFile(join(directory, 'package.torrent')).catch(() => undefined)
  if (torrent && parseMetainfo(torrent).infoHash === infoHash) return torrent
  throw new MurderError('TORRENT_LOST', `The torrent of ${tag} is not beside its seeder any more`, {
    cure: `run npx shipit ${shipit.environment} murder:create_torrent: the same files give the same torrent`,
  })
}
