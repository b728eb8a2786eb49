import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MurderError } from '../../errors.ts'
import type { RunStatus } from '../../protocol/run-status.ts'
import { parseMetainfo, withTrackers } from '../../torrent/metainfo/metainfo.ts'
import type { TaskContext } from '../context/context.ts'
import { shipitCommand } from '../context/shipit-command.ts'
import { taskHosts } from '../hosts/hosts.ts'
import { Placement } from '../hosts/placement.ts'
import { keyValueLines, say } from '../outcome/say.ts'
import { environmentDirectory } from '../paths/local-paths.ts'
import { findSeeders } from './seed.ts'
import { findTracker } from './tracker.ts'

/**
 * `murder:download_torrent`: copies the seeded torrent here, with the tracker's address in it, so that any client can use it.
 * Throws NOTHING_SEEDED or TORRENT_LOST.
 */
export async function downloadTorrent(context: TaskContext): Promise<void> {
  const { tag: wanted } = context.settings
  const { environment } = context.shipit
  const seeders = await findSeeders(context)
  const seeder = seeders.find(({ tag }) => wanted === undefined || tag === wanted)
  if (!seeder) {
    const what = wanted ?? 'Nothing'
    throw new MurderError('NOTHING_SEEDED', `${what} is ${wanted ? 'not ' : ''}seeded for ${environment}`, {
      cure: `run ${shipitCommand(environment, 'murder:start_seeding')}`,
    })
  }
  const { tag } = seeder
  const torrent = await fetchTorrent(context, seeder)
  const running = await findTracker(context)
  const tracker = new Placement(context, undefined, running?.port).shownTracker()
  const directory = environmentDirectory(environment)
  const path = join(directory, `${tag}.torrent`)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await writeFile(path, withTrackers(torrent, tracker === undefined ? [] : [tracker]), { mode: 0o600 })
  const { infoHash } = parseMetainfo(torrent)
  const text = keyValueLines(`Torrent of ${tag}`, [
    ['infohash', infoHash],
    ['tracker', tracker ?? 'none'],
    ['path', path],
  ])
  say(context, text, 'torrent', { tag, infoHash, tracker: tracker ?? null, path })
}

/** The bytes that the seeder was started with. */
async function fetchTorrent(context: TaskContext, { tag, infoHash }: RunStatus): Promise<Buffer> {
  const host = taskHosts(context).seeder
  const torrent = await host.get('package.torrent').catch(() => undefined)
  if (torrent && parseMetainfo(torrent).infoHash === infoHash) return torrent
  throw new MurderError('TORRENT_LOST', `The torrent of ${tag} is not beside its seeder any more`, {
    cure: `the same files give the same torrent: run ${shipitCommand(context.shipit.environment, 'murder:create_torrent')}`,
  })
}
